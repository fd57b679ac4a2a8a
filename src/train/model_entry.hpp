// SPDX-License-Identifier: Apache-2.0
// ModelEntry: a model as a row of the registry: its name, what it needs, how to fit and load it.
//
// To add a model: copy the nearest file of models/, end it with `extern const ModelEntry
// name{...}`, and add HG_MODEL(name) to models/builtin.def. The contract suite then tests it.
#pragma once

#include "core/memory_limit.hpp"
#include "core/options.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "data/dataset.hpp"
#include "encode/item_vectors.hpp"
#include "train/recommender.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>

namespace hg::train {

class RunWriter;

/// Facts as a bit set: generic code (help, docs, refusals) reads them instead of model names.
enum class Fact : std::uint32_t {
    none = 0,
    needs_content = 1U << 0U,    // refuses to fit without item vectors
    uses_content = 1U << 1U,     // better with item vectors
    needs_real_time = 1U << 2U,  // refuses time = "order" | "none"
    uses_gradient = 1U << 3U,    // epochs, early stopping, checkpoints
    random_scores = 1U << 4U,    // scores do not depend on the data
    has_parts = 1U << 5U,        // made of other models, whose options are set as NAME.option
    only_order = 1U << 6U,       // knows nothing but the order: no part of a blend without one
};

[[nodiscard]] constexpr Fact operator|(Fact a, Fact b) noexcept {
    return static_cast<Fact>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

[[nodiscard]] constexpr bool has(Fact facts, Fact wanted) noexcept {
    return (static_cast<std::uint32_t>(facts) & static_cast<std::uint32_t>(wanted)) != 0;
}

/// What fitting may use. References outlive the call. `log` is all a model may learn from (it may
/// be a training part of dataset.log); models that stop early hold out validation events from it
/// themselves.
struct FitContext {
    const data::Dataset& dataset;  // catalogue, event types, time kind; NOT dataset.log
    const data::InteractionLog& log;
    const encode::ItemVectors* content;  // null when there is none
    Rng rng;
    ProgressSink& progress;
    std::stop_token stop;                        // on request: save a checkpoint, throw interrupted
    RunWriter* run = nullptr;                    // where metrics and checkpoints go; null = nowhere
    double memory_limit = memory_limit_bytes();  // a model that needs more refuses first
};

struct ModelEntry {
    std::string_view name;
    std::string_view summary;
    Fact facts = Fact::none;
    DescribeOptions options;
    std::unique_ptr<Recommender> (*fit)(const FitContext& context, const Settings& settings);
    /// Throws Error when the weights do not fit.
    std::unique_ptr<Recommender> (*load)(const SafetensorsFile& weights, const Settings& settings);
};

/// All models, in the order of models/builtin.def.
[[nodiscard]] std::span<const ModelEntry* const> models();

/// Every option with its value after these settings, those given to parts as NAME.option; for
/// manifests. Throws Error for a name or value that is not allowed.
[[nodiscard]] nlohmann::json resolve_settings(const ModelEntry& entry, const Settings& settings);

/// The settings of an entry with parts that are its own.
[[nodiscard]] Settings without_parts(const Settings& settings);

/// Throws Error with the known names.
[[nodiscard]] const ModelEntry& find_model(std::string_view name);

}  // namespace hg::train
