// SPDX-License-Identifier: Apache-2.0
// nearest_name: "did you mean ...?" for every name a person can mistype.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hg {

/// The known name with the smallest edit distance, if it is close enough to be a slip; else empty.
[[nodiscard]] std::string_view nearest_name(
    std::string_view wanted, std::span<const std::string_view> known
);

/// "did you mean X? known: A, B, C" (the question only when something is near). `prefix` goes before
/// every name that is printed.
[[nodiscard]] std::string suggest(
    std::string_view wanted, std::span<const std::string_view> known, std::string_view prefix = {}
);

}  // namespace hg
