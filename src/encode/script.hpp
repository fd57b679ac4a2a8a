// SPDX-License-Identifier: Apache-2.0
// Which script a text is written in, as far as a choice of text model needs it: Latin or not.
#pragma once

#include <cstddef>
#include <string_view>

namespace hg::encode {

struct LetterCount {
    std::size_t latin = 0;
    std::size_t other = 0;

    [[nodiscard]] std::size_t total() const noexcept { return latin + other; }

    /// 1 when there are no letters at all.
    [[nodiscard]] double latin_share() const noexcept;
    LetterCount& operator+=(const LetterCount& more) noexcept;
};

/// Letters only: digits, signs and emoji belong to no script.
[[nodiscard]] LetterCount count_letters(std::string_view text);

}  // namespace hg::encode
