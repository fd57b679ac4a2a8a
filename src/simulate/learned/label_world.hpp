// SPDX-License-Identifier: Apache-2.0
// LabelWorld: real users of a dataset as a world: a click is an item the user did like in the data,
// anything else is passed by ("missing = no", so rewards are a lower bound, and where the data were
// made under another recommender they partly repeat its choices: MovieLens is such a case).
//
// Users are parted once, by seed: some to learn from, the others to be judged on; item features are
// the singular vectors of the learners' likes, so nothing of a judged user is in them. A candidate
// that was shown is gone. Torch-free and const-shared: clones share the labels.
//
//   auto labels = std::make_shared<const Labels>(make_labels(dataset, options, ...));
//   auto world = make_label_world(labels, options);          // or open_world("labels:DATASET", ...)
#pragma once

#include "core/matrix.hpp"
#include "core/options.hpp"
#include "core/progress.hpp"
#include "data/dataset.hpp"
#include "simulate/environment.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::simulate {

struct LabelWorldOptions {
    std::string users = "learn";
    std::int64_t items = 500;
    std::int64_t dim = 16;
    std::int64_t slate_size = 1;
    std::int64_t step_limit = 20;
    std::int64_t min_liked = 20;
    double judged_share = 0.2;
    std::int64_t split_seed = 7;

    static void describe(OptionBinder& bind, LabelWorldOptions& o);
};

/// What of a dataset the world needs.
struct Labels {
    Matrix<float> vectors;                          // [n_items, dim]
    std::vector<std::string> item_names;            // [n_items], most liked first
    std::vector<std::uint32_t> users;               // of the part, as the dataset numbers them
    std::vector<std::vector<std::uint32_t>> liked;  // of each of them: ascending items
};

/// Throws Error{invalid_argument} where too few users or items are left.
[[nodiscard]] Labels make_labels(
    const data::Dataset& dataset,
    const LabelWorldOptions& options,
    ProgressSink& progress,
    const std::stop_token& stop
);

[[nodiscard]] std::unique_ptr<Environment> make_label_world(
    std::shared_ptr<const Labels> labels, const LabelWorldOptions& options
);

}  // namespace hg::simulate
