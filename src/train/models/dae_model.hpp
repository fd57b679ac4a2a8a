// SPDX-License-Identifier: Apache-2.0
// dae_model: the denoising autoencoder behind dae and wide_dae: what it is trained on, and how.
//
// From k events of a user, k ~ U{0..10}, to a softmax over the user's other items. One
// pass of weights serves every k, k = 0 being learned popularity. Private to the models of this
// room.
//
// After Wu et al., "Collaborative Denoising Auto-Encoders" (2016) and the multinomial likelihood of
// Liang et al., "Variational Autoencoders for Collaborative Filtering" (2018). Deviations: the
// corruption is not random dropout but as few events as a new user would have shown, drawn anywhere
// (context = random) or the first ones, so training sees what serving sees; a share of the examples
// (`long_share`) takes more, so that old users are served well too; no user node.
#pragma once

#include "train/model_entry.hpp"
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
    std::int64_t max_context = 10;
    double long_share = 0.2;
    std::string context = "random";
    std::string activation = "tanh";
    std::string schedule = "constant";
    double user_weight = 0.5;
    double validation_share = 0.1;

    static void describe(OptionBinder& bind, DaeOptions& o) {
        bind("dim", o.dim, "width of the hidden layer", {.min = 1, .max = 65536});
        TrainingOptions::describe(bind, o.training, "users");
        bind(
            "dropout",
            o.dropout,
            "share of hidden units dropped in training",
            {.min = 0, .max = 0.95}
        );
        bind(
            "dropout_per",
            o.dropout_per,
            "each example drops units of its own, or all of a step the same: cheaper",
            {.choices = {"example", "step"}}
        );
        bind(
            "max_context",
            o.max_context,
            "contexts have 0 to this many events",
            {.min = 0, .max = 1e6}
        );
        bind(
            "long_share",
            o.long_share,
            "share of examples with a context of any length",
            {.min = 0, .max = 1}
        );
        bind(
            "context",
            o.context,
            "which events of a user are the context",
            {.choices = {"first", "random"}}
        );
        bind("activation", o.activation, "of the hidden layer", {.choices = {"tanh", "relu"}});
        bind(
            "schedule",
            o.schedule,
            "of the step size; cosine = falls to 0 over the epochs",
            {.choices = {"constant", "cosine"}}
        );
        bind(
            "user_weight",
            o.user_weight,
            "weight of a user with n targets is n to this power; 0 = all users the same, 1 = all "
            "targets",
            {.min = 0, .max = 1}
        );
        bind(
            "validation_share",
            o.validation_share,
            "share of users held out for early stopping; 0 = train all epochs on everybody",
            {.min = 0, .max = 0.5}
        );
    }
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
