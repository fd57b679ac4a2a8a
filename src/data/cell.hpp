// SPDX-License-Identifier: Apache-2.0
// Cells: what a piece of text in a table means: a number, nothing, a usable id.
#pragma once

#include <optional>
#include <string_view>

namespace hg::data {

/// Without blanks at both ends.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// The whole cell as a finite number, blanks around it allowed.
[[nodiscard]] std::optional<double> parse_number(std::string_view cell) noexcept;

/// Empty, or a word that programs write for nothing: NULL, \N, NaN, NA, N/A, None.
[[nodiscard]] bool is_missing(std::string_view cell) noexcept;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

constexpr std::size_t longest_id = 1024;

/// What keeps the text from being an id: "is empty", "is not UTF-8", ...; empty = nothing does.
[[nodiscard]] std::string_view id_problem(std::string_view text) noexcept;

}  // namespace hg::data
