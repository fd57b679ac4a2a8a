// SPDX-License-Identifier: Apache-2.0
// fit_members: a FeedbackTable -> the tensors of an ensemble.
//
// Every member learns from its own bootstrap of the training sequences (Efron, 1979) with its own
// start, so that members agree where the data speaks and disagree where it does not; each stops by
// the same validation sequences. Members are fitted side by side, one per thread; each depends on
// the seed and its number only, so the result does not depend on the number of threads.
//
//   fit_members(table, split, plan, writer, progress, stop);
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/member.hpp"

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::simulate {

struct MemberOptions {
    std::int64_t feature_members = 3;
    std::int64_t sequence_members = 2;
    std::int64_t rank = 24;
    std::int64_t hidden = 64;
    std::int64_t gru = 32;
    std::int64_t epochs = 60;
    std::int64_t patience = 4;
    std::int64_t batch_decisions = 1024;
    double learning_rate = 6e-3;
    double weight_decay = 1e-3;

    static void describe(OptionBinder& bind, MemberOptions& o) {
        bind(
            "feature_members",
            o.feature_members,
            "members that see the user's numbers of this moment",
            {.min = 1, .max = 64}
        );
        bind(
            "sequence_members",
            o.sequence_members,
            "members that also remember what was consumed (GRU)",
            {.min = 0, .max = 64}
        );
        bind("rank", o.rank, "length of the vectors of user and item", {.min = 1, .max = 256});
        bind("hidden", o.hidden, "width of the small networks", {.min = 4, .max = 1024});
        bind("gru", o.gru, "memory of the sequence members", {.min = 4, .max = 512});
        bind("epochs", o.epochs, "at most so many passes over the data", {.min = 1, .max = 10000});
        bind(
            "patience",
            o.patience,
            "passes without progress on held-out sequences before stopping",
            {.min = 1, .max = 1000}
        );
        bind(
            "batch_decisions",
            o.batch_decisions,
            "decisions per step, about",
            {.min = 1, .max = 1e6}
        );
        bind("learning_rate", o.learning_rate, "of AdamW", {.min = 1e-6, .max = 1});
        bind("weight_decay", o.weight_decay, "of AdamW, on matrices", {.min = 0, .max = 10});
    }
};

/// How a table is to be read by the networks.
struct FitPlan {
    MemberOptions options;
    MemberShape shape;
    bool single_click = false;  // a softmax with "nothing" over the slate, else slots apart
    double mean_steps = 1;      // of a session
    Scaling items;
    Scaling users;
    float value_mean = 0;
    float value_sd = 1;  // 0 = clicks have no value
    std::uint64_t seed = 7;
    std::filesystem::path scratch;  // finished members wait here for the others; empty = nowhere
    std::string fingerprint;        // of data and options, so that no foreign member is taken up
};

struct MemberResult {
    Family family = Family::feature;
    std::int64_t epochs_run = 0;
    std::int64_t best_epoch = 0;
    double best_validation = 0;       // minus the loss on validation sequences
    std::vector<double> validations;  // by epoch
};

/// Adds tensors memberN.* to `weights`. On a stop request throws Error{interrupted}; finished
/// members stay in `scratch` and are not fitted again.
[[nodiscard]] std::vector<MemberResult> fit_members(
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const FitPlan& plan,
    SafetensorsWriter& weights,
    ProgressSink& progress,
    const std::stop_token& stop
);

}  // namespace hg::simulate
