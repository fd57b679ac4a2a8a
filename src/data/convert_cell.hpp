// SPDX-License-Identifier: Apache-2.0
// Conversions of cells that exports write for people: prices, lists, paths of categories, HTML.
// Each returns a view of the cell or of `scratch`; lists come with list_separator.
#pragma once

#include <string>
#include <string_view>

namespace hg::data {

/// "15.00 USD", "$1,299.00", "EUR 15,50" -> "15.00", "1299.00", "15.50"; no number -> empty.
[[nodiscard]] std::string_view price_of(std::string_view cell, std::string& scratch);

/// "Summer, Linen" -> two words.
[[nodiscard]] std::string_view comma_list(std::string_view cell, std::string& scratch);

/// "Home > Garden > Pots, Sale" -> four words.
[[nodiscard]] std::string_view category_path(std::string_view cell, std::string& scratch);

/// The first of "a.jpg, b.jpg".
[[nodiscard]] std::string_view first_of_list(std::string_view cell, std::string& scratch);

/// Text without tags, scripts and styles; the common entities are read, blanks joined.
[[nodiscard]] std::string_view html_text(std::string_view cell, std::string& scratch);

/// Microseconds since 1970 -> "2024-03-01T12:30:00.250Z"; what is no number stays as it is.
[[nodiscard]] std::string_view time_of_microseconds(std::string_view cell, std::string& scratch);

}  // namespace hg::data
