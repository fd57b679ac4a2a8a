// SPDX-License-Identifier: Apache-2.0
// ServedLog: the decisions of a server with what came of them, from its database (docs/formats/
// http.md, "The database"), so that its own traffic can judge the next policy.
//
// Reads one consistent state, also while a server writes; changes nothing. Feedback is joined by
// recommendation_id and item_id. Left out and counted: decisions for anonymous histories (which
// are stored nowhere, by promise), those of erased users and those whose feedback may still come.
// The reward of a slot is the sum of the weights of the event types that answered it in time, each
// type once: a second click on the same item is not a second success.
//
//   HG_TRY(const auto served, read_served_log("events.db", dataset, {.now = clock.now()}));
//   served.log;                       // as read from an impression log
//   served.known_events(i);           // what the server knew of the user when it decided
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "data/dataset.hpp"
#include "data/event_store.hpp"
#include "data/impression_log.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hg::data {

struct ServedLogOptions {
    std::string tenant = "default";
    Purpose purpose = Purpose::off_policy;
    TimeMs window = 86'400'000;        // feedback later than this does not count
    TimeMs now = EventStore::forever;  // decisions whose window is open then are left out
    TimeMs since = no_timestamp;       // earlier decisions are left out
};

/// What became of the decisions and answers in the database.
struct ServedCounts {
    std::size_t decisions = 0;  // all
    std::size_t earlier = 0;    // before `since`
    std::size_t anonymous = 0;  // left out, as the next three
    std::size_t erased = 0;
    std::size_t young = 0;            // their window is open
    std::size_t empty = 0;            // nothing could be shown
    std::size_t deterministic = 0;    // of those used
    std::size_t answers = 0;          // events that count
    std::size_t late_answers = 0;     // after the window
    std::size_t other_answers = 0;    // on items that were not in the slate
    std::size_t foreign_answers = 0;  // by another user than the slate was for
};

/// One row per decision, in the log and in every column; by user, then in order of serving.
struct ServedLog {
    ImpressionLog log;  // policy = RUN and the policy's version, with a space between
    std::vector<std::string> run;
    std::vector<std::string> version;     // of the policy
    std::vector<std::string> masks;       // Impression::masks
    std::vector<float> candidate_scores;  // parallel to log.candidates.values
    std::vector<std::optional<std::int64_t>> last_event;
    std::vector<std::string> wishes;               // Impression::wishes
    std::vector<std::vector<StoredEvent>> events;  // by log.user, by (timestamp, arrival)
    std::vector<std::string> user_fields;          // by log.user, put by HTTP: JSON, or empty
    std::vector<std::string> user_settings;        // by log.user, as they are now: JSON, or empty
    std::vector<ItemRecord> items;
    ServedCounts counts;

    /// Of the user, oldest first; borrowed. A decision of an older server does not say what it
    /// knew: then what had happened by its time and does not answer it.
    [[nodiscard]] std::vector<const StoredEvent*> known_events(std::size_t decision) const;
};

/// Whether the file begins as SQLite's do.
[[nodiscard]] bool is_database(const std::filesystem::path& path);

/// Fails where nothing is left; for off-policy evaluation also where a decision cannot be used,
/// such as a deterministic one.
[[nodiscard]] Result<ServedLog> read_served_log(
    const std::filesystem::path& path, const Dataset& dataset, const ServedLogOptions& options = {}
);

}  // namespace hg::data
