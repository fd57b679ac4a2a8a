// SPDX-License-Identifier: Apache-2.0
#include "serve/user_settings.hpp"

#include "serve/http/json_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace hg::serve {
namespace {

using nlohmann::json;

constexpr std::size_t max_wishes = 50;
constexpr double max_preference = 3;
constexpr std::size_t max_field_name = 64;

struct Knob {
    const char* name;
    std::optional<double> KnobEdits::* edit;
    double policy::Knobs::* value;
    double min;
};

constexpr std::array<Knob, 4> all_knobs{{
    {"exploration", &KnobEdits::exploration, &policy::Knobs::exploration, -policy::max_knob},
    {"novelty", &KnobEdits::novelty, &policy::Knobs::novelty, -policy::max_knob},
    {"content", &KnobEdits::content, &policy::Knobs::content, -policy::max_knob},
    {"diversity", &KnobEdits::diversity, &policy::Knobs::diversity, 0},
}};

Result<TraitWish> parse_wish(const json& row) {
    if (!row.is_object()) {
        return fail(
            ErrorCode::invalid_argument,
            "a trait is not an object",
            R"(send {"field": "genres", "name": "Comedy", "preference": 1})"
        );
    }
    if (const auto keys = check_keys(row, {"field", "name", "preference"}, "traits: "); !keys) {
        return std::unexpected(keys.error());
    }
    TraitWish wish;
    HG_TRY(wish.field, read_id(row, "field", "traits: ", max_field_name));
    HG_TRY(wish.name, read_id(row, "name", "traits: "));
    HG_TRY(const auto preference, read_number(row, "preference", "traits: "));
    wish.preference = preference.value_or(0);
    if (wish.preference == 0 || std::abs(wish.preference) > max_preference) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "traits: the preference for \"{}\" is not from -3 to 3, without 0", wish.name
            ),
            "more is > 0, less is < 0; leave a trait out to have no wish about it"
        );
    }
    return wish;
}

}  // namespace

policy::Knobs KnobEdits::over(const policy::Knobs& chosen) const noexcept {
    auto knobs = chosen;
    for (const auto& knob : all_knobs) {
        knobs.*knob.value = (this->*knob.edit).value_or(chosen.*knob.value);
    }
    return knobs;
}

bool UserSettings::is_forgotten(std::size_t index, std::string_view item_id) const {
    return std::ranges::any_of(forgotten, [&](const ForgottenEvent& event) {
        return event.index == index && event.item_id == item_id;
    });
}

const std::shared_ptr<const UserSettings>& no_settings() {
    static const auto none = std::make_shared<const UserSettings>();
    return none;
}

std::string UserSettings::text() const {
    auto out = json::object();
    for (const auto& knob : all_knobs) {
        if (const auto value = knobs.*knob.edit) {
            out["knobs"][knob.name] = *value;
        }
    }
    if (!wishes.empty()) {
        out["traits"] = to_json(wishes);
    }
    for (const auto& event : forgotten) {
        out["forgotten"].push_back({{"index", event.index}, {"item_id", event.item_id}});
    }
    return out.empty() ? std::string{} : out.dump();
}

UserSettings parse_settings(std::string_view text) {
    UserSettings settings;
    if (text.empty()) {
        return settings;
    }
    const auto stored = json::parse(text);
    const auto knobs = stored.value("knobs", json::object());
    for (const auto& knob : all_knobs) {
        if (const auto found = knobs.find(knob.name); found != knobs.end()) {
            settings.knobs.*knob.edit = found->get<double>();
        }
    }
    for (const auto& row : stored.value("traits", json::array())) {
        settings.wishes.push_back(
            {.field = row.at("field"), .name = row.at("name"), .preference = row.at("preference")}
        );
    }
    for (const auto& row : stored.value("forgotten", json::array())) {
        settings.forgotten.push_back({.index = row.at("index"), .item_id = row.at("item_id")});
    }
    return settings;
}

json to_json(const policy::Knobs& knobs) {
    auto out = json::object();
    for (const auto& knob : all_knobs) {
        out[knob.name] = knobs.*knob.value;
    }
    return out;
}

json to_json(const std::vector<TraitWish>& wishes) {
    auto out = json::array();
    for (const auto& wish : wishes) {
        out.push_back({{"field", wish.field}, {"name", wish.name}, {"preference", wish.preference}}
        );
    }
    return out;
}

Result<KnobEdits> parse_knobs(std::string_view body) {
    HG_TRY(const auto object, parse_object(body));
    if (const auto keys =
            check_keys(object, {"exploration", "novelty", "content", "diversity"}, "knobs: ");
        !keys) {
        return std::unexpected(keys.error());
    }
    KnobEdits edits;
    for (const auto& knob : all_knobs) {
        HG_TRY(edits.*knob.edit, read_number(object, knob.name, "knobs: "));
        const auto value = edits.*knob.edit;
        if (value && (*value < knob.min || *value > policy::max_knob)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "knobs: {} = {} is not from {} to {}",
                    knob.name,
                    *value,
                    knob.min,
                    policy::max_knob
                ),
                "1 weighs one standard deviation of it as much as one of the score"
            );
        }
    }
    if (edits.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            "knobs: nothing is set",
            R"(send {"exploration": 0.5}; DELETE gives the knobs back to the policy)"
        );
    }
    return edits;
}

Result<std::vector<TraitWish>> parse_wishes(std::string_view body) {
    HG_TRY(const auto object, parse_object(body));
    if (const auto keys = check_keys(object, {"traits"}, ""); !keys) {
        return std::unexpected(keys.error());
    }
    const auto found = object.find("traits");
    if (found == object.end() || !found->is_array() || found->size() > max_wishes) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("traits is not a list of at most {}", max_wishes),
            R"(send {"traits": [{"field": "genres", "name": "Comedy", "preference": 1}]})"
        );
    }
    std::vector<TraitWish> wishes;
    for (const auto& row : *found) {
        HG_TRY(auto wish, parse_wish(row));
        const bool is_repeated = std::ranges::any_of(wishes, [&](const TraitWish& other) {
            return other.field == wish.field && other.name == wish.name;
        });
        if (is_repeated) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("traits: \"{}\" is there twice", wish.name),
                "name each trait once"
            );
        }
        wishes.push_back(std::move(wish));
    }
    return wishes;
}

std::string dataset_event_id(std::size_t index) {
    return fmt::format("{}{}", dataset_prefix, index);
}

std::optional<std::size_t> dataset_event_index(std::string_view event_id) {
    if (!event_id.starts_with(dataset_prefix)) {
        return std::nullopt;
    }
    const auto digits = event_id.substr(dataset_prefix.size());
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return index;
}

}  // namespace hg::serve
