// SPDX-License-Identifier: Apache-2.0
// run_protocol: fits each model on a protocol's training logs and scores it on the protocol's
// queries.
//
// Where a trial has items that came later, models are fitted on the catalogue without them, and then
// grown by their content; a model that cannot be is refused. So is a run that is to know another
// catalogue by its content.
// A contender is a registry entry with settings (fitted here, on the training part only: the honest
// way to compare), a finished run (scored as it is; we warn when it may have seen the answers) or a
// model that its owner fitted on the training part.
// All models answer the same queries in the same order, so differences can be taken per user.
// Ranking is over the full catalogue; `sampled_negatives` asks for the other scale, which is
// labelled and never comparable.
//
//   const auto outcomes = run_protocol(dataset, protocol, contenders, {.k = 10}, work);
#pragma once

#include "app/protocol.hpp"
#include "core/options.hpp"
#include "core/progress.hpp"
#include "encode/item_vectors.hpp"
#include "evaluate/exposure.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

/// How a run knows the items of a dataset: by their names, or by their content alone, as those of
/// another catalogue.
enum class RunItems : std::uint8_t { by_name, by_content };

/// Exactly one of `entry`, `run` and `model` is set; all are borrowed.
struct Contender {
    std::string name;
    const train::ModelEntry* entry = nullptr;
    Settings settings{};
    const train::LoadedRun* run = nullptr;
    RunItems run_items = RunItems::by_name;
    const encode::ItemVectors* content = nullptr;  // null = that of ScoreOptions
    const train::Recommender* model = nullptr;     // fitted on the protocol's only training part
    double fit_seconds = 0;                        // of `model`
    /// Another outcome beside its own: asked with the events of somebody else drawn at random, as
    /// many, whose items are then no answers. What a model knows of a user must be gone.
    bool is_also_shuffled = false;
};

/// The name of that outcome.
[[nodiscard]] std::string shuffled_name(std::string_view row);

struct ScoreOptions {
    std::size_t k = 10;
    std::size_t sampled_negatives = 0;             // 0 = full ranking
    std::uint64_t seed = 7;                        // of fits and of sampled negatives
    const encode::ItemVectors* content = nullptr;  // for models that use it
    /// Where fits are kept (kept_fits.hpp): the same call goes on from there after a stop or a crash.
    /// Empty: none are.
    std::filesystem::path work_folder{};
};

/// Accuracy per query, in the order of the protocol's trials and queries.
struct Accuracy {
    std::vector<double> ndcg;
    std::vector<double> hit;
    std::vector<double> recall;
    std::vector<double> precision;
    std::vector<double> average_precision;
    std::vector<double> reciprocal_rank;
};

struct Outcome {
    std::string name;
    /// Why the model could not be fitted on this data; everything else is empty then.
    std::string refused;
    Accuracy accuracy;
    std::vector<evaluate::ItemList> lists;  // the first k of each answer
    double fit_seconds = 0;                 // all trials
    double score_seconds = 0;
    std::vector<std::string> warnings;
    bool is_control = false;  // a shuffled row: left out where rows compete
};

struct Work {
    ProgressSink& progress;
    std::stop_token stop;
};

/// Throws Error{interrupted} on a stop request. A model refused for its needs (content, real time)
/// gives an Outcome that says so; every other failure is thrown.
[[nodiscard]] std::vector<Outcome> run_protocol(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Contender> contenders,
    const ScoreOptions& options,
    const Work& work
);

}  // namespace hg::app
