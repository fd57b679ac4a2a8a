// SPDX-License-Identifier: Apache-2.0
// Target: the path and query of a request, decoded once.
//
//   HG_TRY(auto target, parse_target("/v1/items/a%20b/similar?k=5"));
//   target.segments == {"v1", "items", "a b", "similar"};
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::serve {

struct Target {
    std::vector<std::string> segments;         // percent-decoded, so an id may hold a slash
    std::map<std::string, std::string> query;  // a key twice: the last one

    /// The number under `key`, or `fallback` where the query has none; an error outside [min, max].
    [[nodiscard]] Result<std::int64_t> number(
        const std::string& key, std::int64_t fallback, std::int64_t min, std::int64_t max
    ) const;
};

[[nodiscard]] Result<Target> parse_target(std::string_view target);

}  // namespace hg::serve
