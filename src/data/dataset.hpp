// SPDX-License-Identifier: Apache-2.0
// Dataset: an interaction log with its catalogue, ids and event types: what every verb starts from.
//
// open_dataset() takes a raw folder (interactions.csv ..., see docs/formats/dataset.md) or one
// written by `honeyguide ingest`; the result is the same. Immutable after opening; const-safe.
//
//   const Dataset data = value_or_throw(open_dataset("movies"));
#pragma once

#include "core/error.hpp"
#include "data/catalogue.hpp"
#include "data/id_map.hpp"
#include "data/interaction_log.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace hg::data {

/// What the timestamp column means. Time splits, recency and hazards refuse `order` and `none`.
enum class TimeKind : std::uint8_t { real, order, none };

struct EventType {
    std::string name;     // "click", "rating", ...
    float weight = 1.0F;  // strength of preference of one such event; < 0 = a dislike, 0 = ignored
    bool is_purchase = false;  // what worlds learn P(purchase) from
};

struct Dataset {
    std::string name;
    IdMap users;
    IdMap items;
    std::vector<EventType> event_types;  // index = EventTypeId; never empty
    TimeKind time_kind = TimeKind::none;
    bool repeats_count = false;  // whether a repeat of an item is a recommendation worth making
    InteractionLog log;
    Catalogue item_fields;
    Catalogue user_fields;
    std::string hash;  // content hash, for manifests

    /// The event type of that name; unknown names are the default type (index 0).
    [[nodiscard]] EventTypeId event_type(std::string_view type_name) const;
};

/// Throws nothing; bad rows are skipped and counted (ingest writes them to rejected.jsonl).
[[nodiscard]] Result<Dataset> open_dataset(const std::filesystem::path& folder);

}  // namespace hg::data
