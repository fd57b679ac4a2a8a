// SPDX-License-Identifier: Apache-2.0
// tuning: the best settings of a model on the validation part of a dataset, trial after trial.
//
// Every trial fits the model with other settings on what a protocol's validation part may learn
// from, and asks its questions: NDCG@10. halving (Jamieson and Talwalkar, 2016): all points with few
// epochs, then the best third of them with three times as many, until the last have all of them.
// What was tried is in RUN/tuning.json after every trial, so a stopped search goes on where it was.
// The best of many trials is flattered by its luck: the test part is for the winner alone, once.
//
//   const auto tuning = tune_model(request, dataset, protocol, work, print_trial);
#pragma once

#include "app/parameter_search.hpp"
#include "app/protocol_run.hpp"
#include "app/search_space.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace hg::app {

struct TuningRequest {
    const train::ModelEntry& entry;
    SearchSpace space;
    Settings fixed;  // what every trial has in common
    SearchKind search = SearchKind::tpe;
    std::size_t n_trials = 30;                     // halving: points that are begun
    const encode::ItemVectors* content = nullptr;  // borrowed
    nlohmann::json task{};  // what must be the same for a stopped search to go on
    std::uint64_t seed = 7;
    std::filesystem::path folder;
};

/// One fit.
struct Tried {
    std::size_t number = 0;   // from 0, in the order they were done
    std::size_t rung = 0;     // halving: how often it was among the best third
    std::int64_t epochs = 0;  // at most; 0 = as the settings say
    SearchPoint point;
    double ndcg = 0;   // mean over questions; NaN = could not be fitted
    double error = 0;  // standard error of that mean
    double seconds = 0;
    std::string refused{};  // why it could not be fitted
};

struct Tuning {
    std::vector<Tried> tried;
    std::size_t n_planned = 0;  // fits in all
};

/// Of the last rung, the highest NDCG; null where nothing could be fitted. Borrowed.
[[nodiscard]] const Tried* best_of(const Tuning& tuning);

/// Trials of the last rung within one standard error of the best, the best included: too close to
/// call.
[[nodiscard]] std::size_t n_as_good(const Tuning& tuning);

/// Called after every trial.
using TriedSink = std::function<void(const Tuning& so_far)>;

/// `protocol`: of Part::validation. Throws Error where the folder holds another search, on a stop
/// request, and for settings that no trial could have.
[[nodiscard]] Tuning tune_model(
    const TuningRequest& request,
    const data::Dataset& dataset,
    const Protocol& protocol,
    const Work& work,
    const TriedSink& tell
);

}  // namespace hg::app
