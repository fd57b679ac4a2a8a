// SPDX-License-Identifier: Apache-2.0
// Replay: the logged decisions of a server made again by another run: what it would have drawn its
// slate from, for the same user, knowing the same events and wishes, under the same filter,
// exclusions and knobs.
//
// The code is the server's own (histories, scoring, masks, knobs), one decision after another, so
// the run that served gives its propensities again bit for bit, where the server scored every item
// (where it took an index's proposals, an item the index missed is here). What the database does not keep is
// taken as it is now: fields of users and of items put while serving, and how often an item was
// seen; a forgotten event is forgotten here too. Items put later or deleted earlier than the
// decision are left out. Const-safe once made: many threads may ask.
//
//   data::IdMap ids = served.log.items;
//   const Replay replay{{.dataset = dataset, .served = served, .source = {run, data}}, ids};
//   const auto pool = replay.pool(i, {.options = {.epsilon = .05}}, cache);    // index = id of `ids`
#pragma once

#include "core/top_k.hpp"
#include "data/served_log.hpp"
#include "policy/knobs.hpp"
#include "policy/slate_policy.hpp"
#include "serve/scoring.hpp"
#include "serve/session.hpp"
#include "serve/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hg::serve {

struct ReplaySetup {
    std::shared_ptr<const data::Dataset> dataset;
    const data::ServedLog& served;  // outlives the replay
    SnapshotSource source;
    SessionOptions sessions{};
};

/// The scores of the decision before: a user who only looked is scored once.
struct ReplayCache {
    std::uint32_t user = ~std::uint32_t{0};
    std::size_t n_events = 0;
    std::string wishes{};
    std::size_t keep = 0;
    Candidates candidates{};
};

class Replay {
  public:
    /// Loads the run; names of items it may show are added to `ids`. Throws Error.
    Replay(const ReplaySetup& setup, data::IdMap& ids);

    /// As the server logs it.
    [[nodiscard]] const std::string& run() const noexcept { return snapshot_->run.name; }

    /// The candidates of the slate, best first; index = id of `ids`. `chooser`: of the knobs, from the
    /// user's belief then; null = those of `policy`.
    [[nodiscard]] std::vector<Scored> pool(
        std::size_t decision,
        const policy::SlatePolicy& policy,
        ReplayCache& cache,
        const policy::KnobPolicy* chooser = nullptr
    ) const;

  private:
    /// Since when an item could be shown, and until when; of those that could not be always.
    struct Availability {
        ItemRow row = 0;
        TimeMs from = data::no_timestamp;
        TimeMs until = data::EventStore::forever;
    };

    void restore(const std::vector<data::ItemRecord>& records);
    [[nodiscard]] RowSet unavailable(TimeMs time, const RecommendRequest& request) const;
    /// Who the decision was for, as the server knew them.
    void restore(Session& session, std::size_t decision) const;
    [[nodiscard]] Candidates score(
        Session& session, const policy::Knobs& knobs, const Wanted& wanted
    ) const;

    const data::ServedLog& served_;
    mutable ItemTable items_;  // locks itself; an item known from an event only is added on the way
    HistoryReader reader_;
    std::shared_ptr<const Snapshot> snapshot_;
    std::vector<Availability> availability_;
    std::vector<std::uint32_t> ids_;  // by ItemRow
};

}  // namespace hg::serve
