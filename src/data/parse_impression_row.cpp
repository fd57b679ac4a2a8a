// SPDX-License-Identifier: Apache-2.0
#include "data/impression_row.hpp"
#include "data/json_fields.hpp"

#include <fmt/format.h>

#include <cmath>

namespace hg::data {
namespace {

namespace dom = simdjson::dom;

constexpr JsonFields read{
    R"(for example {"user_id": "7", "slots": [{"item_id": "50", "propensity": 0.2}], "reward": 1})"
};

Result<std::int32_t> parse_position(const dom::element& value, const std::string& where) {
    std::int64_t number = 0;
    if (value.get_int64().get(number) != simdjson::SUCCESS || number < 0 ||
        number > std::numeric_limits<std::int32_t>::max()) {
        return read.wrong(where, value, "a place counted from 0");
    }
    return static_cast<std::int32_t>(number);
}

Result<LoggedSlot> parse_slot(const dom::element& value, const std::string& where) {
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
        return read.wrong(where, value, "an object with item_id and propensity");
    }
    LoggedSlot slot;
    bool has_item = false;
    for (const auto [key, entry] : object) {
        if (entry.is_null()) {
            continue;
        }
        if (key == "item_id") {
            HG_TRY(slot.item_id, read.id(entry, where + ".item_id"));
            has_item = true;
        } else if (key == "propensity") {
            HG_TRY(slot.propensity, read.number(entry, where + ".propensity"));
        } else if (key == "reward") {
            HG_TRY(slot.reward, read.number(entry, where + ".reward"));
        } else if (key == "value") {
            HG_TRY(slot.value, read.number(entry, where + ".value"));
        } else if (key == "rating") {
            HG_TRY(slot.rating, read.number(entry, where + ".rating"));
        } else if (key == "clicked") {
            HG_TRY(slot.clicked, read.truth(entry, where + ".clicked"));
        } else if (key == "purchased") {
            HG_TRY(slot.purchased, read.truth(entry, where + ".purchased"));
        } else if (key == "position") {
            HG_TRY(slot.position, parse_position(entry, where + ".position"));
        }
    }
    if (!has_item) {
        return read.wrong(where, value, "an object with item_id");
    }
    return slot;
}

Result<std::vector<LoggedSlot>> parse_slots(const dom::element& value) {
    HG_TRY(const auto list, read.list(value, "slots", "a list of slots"));
    std::vector<LoggedSlot> slots;
    for (const auto entry : list) {
        HG_TRY(auto slot, parse_slot(entry, fmt::format("slots[{}]", slots.size())));
        slots.push_back(std::move(slot));
    }
    return slots;
}

struct Features {
    std::vector<float> values;
    std::size_t n_rows = 0;
};

Result<Features> parse_features(const dom::element& value) {
    constexpr std::string_view expected = "a list of lists of numbers, all of one length";
    HG_TRY(const auto list, read.list(value, "candidate_features", expected));
    Features features;
    std::size_t dim = 0;
    for (const auto entry : list) {
        const auto where = fmt::format("candidate_features[{}]", features.n_rows);
        HG_TRY(const auto row, read.floats(entry, where));
        if (features.n_rows > 0 && row.size() != dim) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{} has {} numbers, the first has {}", where, row.size(), dim),
                "give every candidate the same features"
            );
        }
        dim = row.size();
        features.values.insert(features.values.end(), row.begin(), row.end());
        ++features.n_rows;
    }
    return features;
}

/// Keys of texts and numbers; false when the key is none of them.
Result<bool> parse_scalar(ImpressionRow& to, std::string_view key, const dom::element& value) {
    if (key == "recommendation_id") {
        HG_TRY(to.recommendation_id, read.id(value, key));
    } else if (key == "user_id") {
        HG_TRY(to.user_id, read.id(value, key));
    } else if (key == "segment") {
        HG_TRY(to.segment, read.id(value, key));
    } else if (key == "timestamp") {
        HG_TRY(to.timestamp, read.time(value, key));
    } else if (key == "policy") {
        HG_TRY(to.policy, read.id(value, key));
    } else if (key == "deterministic") {
        HG_TRY(to.deterministic, read.truth(value, key));
    } else if (key == "propensity") {
        HG_TRY(to.propensity, read.number(value, key));
    } else if (key == "reward") {
        HG_TRY(to.reward, read.number(value, key));
    } else if (key == "ended") {
        HG_TRY(to.ended, read.truth(value, key));
    } else {
        return false;
    }
    return true;
}

}  // namespace

struct ImpressionParser::Impl {
    dom::parser json;
};

ImpressionParser::ImpressionParser() : impl_(std::make_unique<Impl>()) {}

ImpressionParser::~ImpressionParser() = default;

Result<ImpressionRow> ImpressionParser::parse(std::string_view line) {
    HG_TRY(const auto object, read.object(impl_->json, line));
    ImpressionRow impression;
    std::optional<Features> features;
    for (const auto [key, value] : object) {
        if (value.is_null()) {
            continue;
        }
        HG_TRY(const bool is_scalar, parse_scalar(impression, key, value));
        if (is_scalar) {
            continue;
        }
        if (key == "state") {
            HG_TRY(impression.state, read.floats(value, key));
        } else if (key == "candidates") {
            HG_TRY(impression.candidates, read.ids(value, key));
        } else if (key == "candidate_features") {
            HG_TRY(features, parse_features(value));
        } else if (key == "history") {
            HG_TRY(impression.history, read.ids(value, key));
        } else if (key == "slots") {
            HG_TRY(impression.slots, parse_slots(value));
        }
    }
    if (features) {
        if (features->n_rows != impression.candidates.size()) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "candidate_features has {} rows, there are {} candidates",
                    features->n_rows,
                    impression.candidates.size()
                ),
                "give one row per candidate, in the same order"
            );
        }
        impression.candidate_features = std::move(features->values);
    }
    return impression;
}

}  // namespace hg::data
