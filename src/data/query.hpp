// SPDX-License-Identifier: Apache-2.0
// Query: one line of `honeyguide recommend --input`: whose list is wanted, as a person writes it.
//
// {"user_id"?, "history": ["id", ...] or [{"item_id", "event"?, "value"?, "timestamp"?}, ...],
//  "fields"?: {"gender": "F"}, "context"?, "candidates"?: ["id", ...], "exclude"?: ["id", ...]}
// Ids may be strings or integers. Oldest event first; where every event has a timestamp, they are
// put in that order (stably). "context" is accepted and not used yet. See docs/formats/queries.md.
//
//   QueryParser parser;
//   HG_TRY(const auto query, parser.parse(line));      // the caller adds file:line to the error
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::data {

struct QueryEvent {
    std::string item_id;
    std::string event;  // empty = the dataset's default type
    float value = std::numeric_limits<float>::quiet_NaN();
    std::optional<TimeMs> time;
};

struct Query {
    std::optional<std::string> user_id;
    std::vector<QueryEvent> history;
    std::vector<std::pair<std::string, std::string>> fields;  // of the user: {"gender", "F"}
    std::optional<std::vector<std::string>> candidates;       // nothing = all items
    std::vector<std::string> exclude;
};

/// Reuses its buffers from line to line; single-threaded.
class QueryParser {
  public:
    QueryParser();
    QueryParser(const QueryParser&) = delete;
    QueryParser& operator=(const QueryParser&) = delete;
    QueryParser(QueryParser&&) = delete;
    QueryParser& operator=(QueryParser&&) = delete;
    ~QueryParser();

    [[nodiscard]] Result<Query> parse(std::string_view line);

    /// Keys met so far that mean nothing to us (at most 8 are kept): a typo shows here.
    [[nodiscard]] const std::set<std::string>& unknown_keys() const noexcept {
        return unknown_keys_;
    }

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::set<std::string> unknown_keys_;
};

}  // namespace hg::data
