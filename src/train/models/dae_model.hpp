// SPDX-License-Identifier: Apache-2.0
// dae_model: the denoising autoencoder behind dae and wide_dae: what it is trained on, and how.
//
// The episodes are those of bag_training_net.hpp. Private to the models of this room.
//
// After Wu et al., "Collaborative Denoising Auto-Encoders" (2016) and the multinomial likelihood of
// Liang et al., "Variational Autoencoders for Collaborative Filtering" (2018). Deviations: the
// corruption is not random dropout but as few events as a new user would have shown, drawn anywhere
// (context = random) or the first ones, so training sees what serving sees; no user node.
#pragma once

#include "train/model_entry.hpp"
#include "train/models/episode_options.hpp"
#include "train/training_options.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hg::train {

struct DaeOptions {
    std::int64_t dim = 256;
    TrainingOptions training{
        .epochs = 150, .batch_size = 128, .patience = 10, .learning_rate = 1e-3
    };
    double dropout = 0.2;
    std::string dropout_per = "example";
    std::string activation = "tanh";
    std::string schedule = "constant";
    EpisodeOptions episodes{};

    static void describe(OptionBinder& bind, DaeOptions& o);
};

/// `label` names the training in progress bars, checkpoints and errors.
[[nodiscard]] std::unique_ptr<Recommender> fit_dae(
    const FitContext& context, const DaeOptions& options, std::string_view label
);

/// Throws Error when the weights do not fit.
[[nodiscard]] std::unique_ptr<Recommender> load_dae(
    const SafetensorsFile& weights, const DaeOptions& options
);

}  // namespace hg::train
