// SPDX-License-Identifier: Apache-2.0
#include "app/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace hg::app {
namespace {

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stopped != end || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

bool is_whole(std::string_view text) {
    return text.find_first_of(".eE") == std::string_view::npos;
}

Error not_a_dimension(std::string_view text, std::string_view found) {
    return {
        ErrorCode::invalid_argument,
        fmt::format("--try {}: {}", text, found),
        "write NAME=LOW..HIGH, NAME=LOW..HIGH:log or NAME=WORD,WORD,...",
    };
}

SearchDimension parse_range(std::string_view text, std::string_view name, std::string_view range) {
    SearchDimension dimension{.name = std::string{name}};
    if (const auto colon = range.find(':'); colon != std::string_view::npos) {
        if (range.substr(colon) != ":log") {
            throw not_a_dimension(text, fmt::format("\"{}\" is not :log", range.substr(colon)));
        }
        dimension.is_log = true;
        range = range.substr(0, colon);
    }
    const auto dots = range.find("..");
    const auto low = range.substr(0, dots);
    const auto high = range.substr(dots + 2);
    const auto from = number(low);
    const auto to = number(high);
    if (!from || !to) {
        throw not_a_dimension(text, fmt::format("\"{}\" is no number", from ? high : low));
    }
    if (*from >= *to) {
        throw not_a_dimension(text, "a range goes up");
    }
    if (dimension.is_log && *from <= 0) {
        throw not_a_dimension(text, "a logarithm needs a range above 0");
    }
    dimension.low = *from;
    dimension.high = *to;
    dimension.is_integer = is_whole(low) && is_whole(high);
    return dimension;
}

}  // namespace

std::string SearchDimension::text(double value) const {
    if (!is_range()) {
        return words.at(static_cast<std::size_t>(value));
    }
    const auto at = std::clamp(value, 0.0, 1.0);
    const auto x = is_log ? low * std::pow(high / low, at) : low + (high - low) * at;
    return is_integer ? fmt::format("{}", std::llround(std::clamp(x, low, high)))
                      : fmt::format("{:.4g}", std::clamp(x, low, high));
}

double SearchDimension::draw(Rng& rng) const {
    return is_range() ? rng.uniform() : static_cast<double>(rng.below(words.size()));
}

SearchDimension parse_dimension(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
        throw not_a_dimension(text, "no NAME=VALUES");
    }
    const auto name = text.substr(0, equals);
    const auto values = text.substr(equals + 1);
    if (values.find("..") != std::string_view::npos) {
        return parse_range(text, name, values);
    }
    SearchDimension dimension{.name = std::string{name}};
    for (std::size_t first = 0; first <= values.size();) {
        const auto comma = std::min(values.find(',', first), values.size());
        if (comma == first) {
            throw not_a_dimension(text, "an empty word");
        }
        dimension.words.emplace_back(values.substr(first, comma - first));
        first = comma + 1;
    }
    if (dimension.words.size() < 2) {
        throw not_a_dimension(text, "one word leaves nothing to choose; say it with --set");
    }
    return dimension;
}

void check_against(SearchSpace& space, DescribeOptions describe, const Settings& fixed) {
    for (auto& dimension : space) {
        describe([&dimension](const OptionInfo& option) {
            if (option.name == dimension.name && dimension.is_range()) {
                dimension.is_integer = std::holds_alternative<std::int64_t*>(option.field);
            }
        });
        if (fixed.values().contains(dimension.name)) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{} is both set and searched", dimension.name),
                "leave it out of --set (and --config) or of --try",
            };
        }
        if (std::ranges::count(space, dimension.name, &SearchDimension::name) > 1) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("--try names {} twice", dimension.name),
                "name each option once",
            };
        }
    }
}

Settings settings_at(const SearchSpace& space, const SearchPoint& point, const Settings& fixed) {
    auto settings = fixed;
    for (std::size_t d = 0; d < space.size(); ++d) {
        settings.set(space[d].name, space[d].text(point[d]), "--try");
    }
    return settings;
}

std::string point_text(const SearchSpace& space, const SearchPoint& point) {
    std::string text;
    for (std::size_t d = 0; d < space.size(); ++d) {
        text +=
            fmt::format("{}{}={}", text.empty() ? "" : " ", space[d].name, space[d].text(point[d]));
    }
    return text;
}

}  // namespace hg::app
