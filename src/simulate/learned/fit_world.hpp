// SPDX-License-Identifier: Apache-2.0
// fit_world: a FeedbackTable in, the run of a learned world out.
//
// The folder holds manifest.json (kind "world", written last), weights.safetensors and
// metrics.jsonl. On a stop request finished members stay in the folder and the same call resumes
// with the others.
//
//   fit_world({.table = table, .options = options, .seed = 7, .folder = "runs/w"}, progress, stop);
//   const auto world = open_world("runs/w", {});
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/fit_members.hpp"
#include "simulate/learned/fit_reward.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::simulate {

struct WorldFitOptions {
    MemberOptions members;
    double holdout = 0.1;
    double exposure_clip = 10;
    std::int64_t max_decisions = 100000;
    std::int64_t negatives = 4;
    double negative_power = 0.5;
    std::int64_t dim = 32;
    double decay = 0.9;
    std::int64_t session_minutes = 30;
    std::int64_t longest_sequence = 256;
    std::vector<std::string> reward_models{"features"};

    static void describe(OptionBinder& bind, WorldFitOptions& o) {
        MemberOptions::describe(bind, o.members);
        bind(
            "holdout",
            o.holdout,
            "share of the sequences held out, each for early stopping and for the fidelity report",
            {.min = 0.01, .max = 0.4}
        );
        bind(
            "exposure_clip",
            o.exposure_clip,
            "impression log: largest inverse-propensity weight, in means; 0 = no correction",
            {.min = 0, .max = 1e6}
        );
        bind(
            "max_decisions",
            o.max_decisions,
            "fit on so many, whole users or sessions drawn at random; 0 = all",
            {.min = 0, .max = 1e9}
        );
        bind(
            "negatives",
            o.negatives,
            "dataset: items drawn as not chosen, per event",
            {.min = 1, .max = 100}
        );
        bind(
            "negative_power",
            o.negative_power,
            "dataset: negatives are drawn by popularity to this power",
            {.min = 0, .max = 1}
        );
        bind(
            "dim",
            o.dim,
            "dataset: numbers per item from the users who had it",
            {.min = 2, .max = 256}
        );
        bind(
            "decay",
            o.decay,
            "dataset: weight of an event in the user's numbers, per later event",
            {.min = 0.1, .max = 1}
        );
        bind(
            "session_minutes",
            o.session_minutes,
            "dataset with real time: a longer pause ends a session, where no session_id says it",
            {.min = 1, .max = 1e6}
        );
        bind(
            "longest_sequence",
            o.longest_sequence,
            "dataset: only the last events of a user are used",
            {.min = 2, .max = 1e6}
        );
        bind(
            "reward_models",
            o.reward_models,
            "impression log: learned rewards to fit: features, rnn, vae"
        );
    }
};

struct WorldFitRequest {
    const FeedbackTable& table;
    WorldFitOptions options{};
    std::uint64_t seed = 7;
    std::filesystem::path folder;
    nlohmann::json source = nlohmann::json::object();  // facts of the data for the manifest
};

struct WorldFitReport {
    std::size_t n_sequences = 0;
    std::size_t n_decisions = 0;
    std::vector<MemberResult> members;
    std::vector<RewardFit> rewards{};
    double seconds = 0;
};

/// Throws Error: invalid_argument for data that teach nothing, conflict for a finished run,
/// interrupted on a stop request.
WorldFitReport fit_world(
    const WorldFitRequest& request, ProgressSink& progress, const std::stop_token& stop
);

/// The held-out part that fit_world(request) used, for the fidelity report.
[[nodiscard]] FeedbackSplit split_of(
    const FeedbackTable& table, const WorldFitOptions& options, std::uint64_t seed
);

}  // namespace hg::simulate
