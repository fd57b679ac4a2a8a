// SPDX-License-Identifier: Apache-2.0
#include "data/time_text.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>

namespace hg::data {
namespace {

/// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) {
        return std::nullopt;
    }
    int value = 0;
    for (const char c : text.substr(0, digits)) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, char wanted) noexcept {
    if (!text.starts_with(wanted)) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// ".25" -> 250; digits behind the third are dropped.
int take_milliseconds(std::string_view& text) noexcept {
    int value = 0;
    int scale = 100;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        value += (text.front() - '0') * scale;
        scale /= 10;
        text.remove_prefix(1);
    }
    return value;
}

/// "Z", "+02:00", "+0200", " -0500", "+02" -> minutes east of UTC.
std::optional<int> take_zone(std::string_view& text) noexcept {
    if (text.empty() || take(text, 'Z')) {
        return 0;
    }
    if (text == " UTC") {
        text = {};
        return 0;
    }
    if (text.starts_with(" -") || text.starts_with(" +")) {  // as Shopify writes it
        text.remove_prefix(1);
    }
    const bool is_west = text.starts_with('-');
    if (!is_west && !text.starts_with('+')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const auto hours = take_number(text, 2);
    if (!hours) {
        return std::nullopt;
    }
    take(text, ':');
    const auto minutes = text.empty() ? std::optional{0} : take_number(text, 2);
    if (!minutes) {
        return std::nullopt;
    }
    if (text == " UTC") {  // "+0000 UTC", as Go prints it
        text = {};
    }
    const int east = *hours * 60 + *minutes;
    return is_west ? -east : east;
}

}  // namespace

std::optional<TimeMs> parse_iso_time(std::string_view text) noexcept {
    using namespace std::chrono;  // NOLINT(google-build-using-namespace): the calendar's literals
    const auto y = take_number(text, 4);
    if (!y || !take(text, '-')) {
        return std::nullopt;
    }
    const auto m = take_number(text, 2);
    if (!m || !take(text, '-')) {
        return std::nullopt;
    }
    const auto d = take_number(text, 2);
    if (!d) {
        return std::nullopt;
    }
    const year_month_day date{
        year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}
    };
    if (!date.ok()) {
        return std::nullopt;
    }
    auto time = duration_cast<milliseconds>(sys_days{date}.time_since_epoch());
    if (text.empty()) {
        return time.count();
    }
    if (!take(text, 'T') && !take(text, ' ')) {
        return std::nullopt;
    }
    const auto h = take_number(text, 2);
    if (!h || !take(text, ':')) {
        return std::nullopt;
    }
    const auto min = take_number(text, 2);
    if (!min) {
        return std::nullopt;
    }
    int sec = 0;
    int ms = 0;
    if (take(text, ':')) {
        const auto s = take_number(text, 2);
        if (!s) {
            return std::nullopt;
        }
        sec = *s;
        if (take(text, '.') || take(text, ',')) {
            ms = take_milliseconds(text);
        }
    }
    const auto zone = take_zone(text);
    if (!zone || !text.empty() || *h > 24 || *min > 59 || sec > 60) {
        return std::nullopt;
    }
    time += hours{*h} + minutes{*min - *zone} + seconds{sec} + milliseconds{ms};
    return time.count();
}

std::string format_time(TimeMs time) {
    using namespace std::chrono;  // NOLINT(google-build-using-namespace): the calendar's literals
    const sys_time<milliseconds> instant{milliseconds{time}};
    const auto date = floor<days>(instant);
    const year_month_day ymd{date};
    const hh_mm_ss clock{floor<seconds>(instant - date)};
    return fmt::format(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        static_cast<int>(ymd.year()),
        static_cast<unsigned>(ymd.month()),
        static_cast<unsigned>(ymd.day()),
        clock.hours().count(),
        clock.minutes().count(),
        clock.seconds().count()
    );
}

}  // namespace hg::data
