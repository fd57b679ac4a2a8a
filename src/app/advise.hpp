// SPDX-License-Identifier: Apache-2.0
// make_advice: is this data ready, what would a model bring over popularity, and which one to take.
//
// Facts of the data, a quick leave-one-out on the validation part (popularity and the simple models
// that are cheap at this size; with `thorough`, the learned ones too), and a verdict that follows
// from them. It says "popularity is enough for you" when no model is measurably better (the paired
// 95 % interval touches zero), and "X is enough for you" when nothing in the data calls for more,
// or when what was tried beyond X is no better.
//
//   const Advice advice = make_advice(dataset, {.content = content}, work);
#pragma once

#include "app/dataset_facts.hpp"
#include "app/evaluation.hpp"
#include "app/protocol_run.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hg::app {

struct AdviseOptions {
    bool is_thorough = false;
    std::size_t max_users = 2000;
    std::size_t k = 10;
    std::uint64_t seed = 7;
    const encode::ItemVectors* content = nullptr;
};

enum class Mark : std::uint8_t { good, note, problem };

struct Finding {
    Mark mark = Mark::note;
    std::string text;
};

enum class Verdict : std::uint8_t {
    too_little_data,
    popularity_is_enough,
    simple_model_is_enough,
    learn_more,  // something in the data calls for content, adaptation or sequences
};

struct Advice {
    DatasetFacts facts;
    std::vector<Finding> findings;
    std::optional<Evaluation> check;  // nothing when the data cannot carry it
    Verdict verdict = Verdict::too_little_data;
    std::string summary;            // one or two sentences
    std::string model;              // of the registry: what to train first
    std::vector<std::string> next;  // commands, DATA stands for the folder
    std::string config;             // TOML for --config
};

/// Throws Error{interrupted} on a stop request.
[[nodiscard]] Advice make_advice(
    const data::Dataset& dataset, const AdviseOptions& options, const Work& work
);

[[nodiscard]] std::string to_text(const Advice& advice);
[[nodiscard]] nlohmann::json to_json(const Advice& advice);

}  // namespace hg::app
