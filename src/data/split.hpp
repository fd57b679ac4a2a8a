// SPDX-License-Identifier: Apache-2.0
// Splits: a log cut into what a model learns from and the cases it is asked about. Pure, seeded,
// leak-free.
//
// Four protocols: leave one out (last event; the one before for validation), ratio (random, per
// user), time (one moment for everybody: the honest one for data of your own), user hold-out
// (few-shot: users never trained on). Two train logs, because a model is fitted twice: on `train`
// to choose settings by `validation`, then on `train_full` to be scored on `test`. What holds for
// all (property tests): a target's event is in no train log that precedes it, contexts hold nothing
// from behind a target (ratio: nothing of the held-out share), ids keep their meaning. Only events
// with a positive weight are targets.
//
//   const Split split = leave_one_out(data.log);
//   fit(split.train_full);  for (const auto& c : split.test) { rank(c.context, c.targets); }
#pragma once

#include "core/error.hpp"
#include "core/ids.hpp"
#include "data/dataset.hpp"
#include "data/history.hpp"
#include "data/interaction_log.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hg::data {

/// What a model is asked: given the context, where does it rank the targets?
struct EvaluationCase {
    UserId user;
    History context;              // borrowed from the Split
    std::vector<ItemId> targets;  // distinct, in the order of their events; never empty
};

struct Split {
    InteractionLog train;  // learn from this while choosing by `validation`
    /// Train and validation events: learn from this to be scored on `test`.
    InteractionLog train_full;
    std::vector<EvaluationCase> validation;
    std::vector<EvaluationCase> test;
    InteractionLog log;  // the whole log, which contexts borrow from
};

/// Whether an item that is already in the context may be a target. Drop them when histories are
/// masked.
enum class Repeats : std::uint8_t { keep, drop };

struct LeaveOneOutOptions {
    std::size_t min_events = 3;  // users with fewer stay wholly in train
    Repeats repeats = Repeats::keep;
};

[[nodiscard]] Split leave_one_out(
    const InteractionLog& log, const LeaveOneOutOptions& options = {}
);

struct RatioOptions {
    double test = 0.2;  // share of each user's events, rounded; one event at least stays in train
    double validation = 0.1;
    std::uint64_t seed = 1;
    Repeats repeats = Repeats::keep;
};

/// Fails when the shares are not in [0, 1) or leave nothing to train on.
[[nodiscard]] Result<Split> ratio_split(
    const InteractionLog& log, const RatioOptions& options = {}
);

struct TimeOptions {
    double test = 0.2;        // share of all events, the latest
    double validation = 0.1;  // the share before them
    Repeats repeats = Repeats::keep;
};

/// Users without events before the cut have an empty context. Fails unless times are real and
/// differ.
[[nodiscard]] Result<Split> time_split(
    const InteractionLog& log, TimeKind time_kind, const TimeOptions& options = {}
);

struct HoldOutOptions {
    std::size_t folds = 5;
    std::size_t fold = 0;      // users of this fold are the test users
    std::size_t context = 10;  // at most so many first events are the context
    std::size_t targets = 10;  // of the events behind it at most so many are targets; 0 = all
    std::size_t min_events =
        0;  // users with fewer are neither asked about nor trained on; 0 = context + 1
    double validation = 0;  // share of the other users held out for validation
    std::uint64_t seed = 1;
    Repeats repeats = Repeats::keep;
};

/// Over the folds every user is held out once. Fails on a fold that does not exist or a bad share.
[[nodiscard]] Result<Split> user_hold_out(
    const InteractionLog& log, const HoldOutOptions& options = {}
);

}  // namespace hg::data
