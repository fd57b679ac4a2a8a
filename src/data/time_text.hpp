// SPDX-License-Identifier: Apache-2.0
// Time text: ISO-8601 dates and times, as people and databases write them.
//
//   parse_iso_time("2024-03-01") ; "2024-03-01 12:30:05.25+02:00" ; "2024-03-01T12:30Z"
#pragma once

#include "core/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hg::data {

/// Milliseconds since 1970, without a zone taken as UTC; nothing if the text is not such a date.
[[nodiscard]] std::optional<TimeMs> parse_iso_time(std::string_view text) noexcept;

/// "2024-03-01 12:30:05" (UTC).
[[nodiscard]] std::string format_time(TimeMs time);

}  // namespace hg::data
