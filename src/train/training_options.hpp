// SPDX-License-Identifier: Apache-2.0
// TrainingOptions: what can be set of every training by gradient, whatever the model.
#pragma once

#include "core/options.hpp"
#include "train/trainer.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace hg::train {

/// The defaults are a model's own: give all.
struct TrainingOptions {
    std::int64_t epochs;
    std::int64_t batch_size;
    std::int64_t patience;
    double learning_rate;
    double weight_decay = 0;

    /// `example`: what a step takes some of, as "users".
    static void describe(OptionBinder& bind, TrainingOptions& o, std::string_view example) {
        bind("epochs", o.epochs, "passes over the log, at most", {.min = 1, .max = 1e6});
        bind(
            "batch_size", o.batch_size, std::string{example} + " per step", {.min = 1, .max = 1e6}
        );
        bind(
            "patience",
            o.patience,
            "epochs without a better validation before stopping; 0 = never",
            {.min = 0}
        );
        bind("learning_rate", o.learning_rate, "step size of AdamW", {.min = 1e-8, .max = 10});
        bind(
            "weight_decay",
            o.weight_decay,
            "decoupled decay of the weight matrices",
            {.min = 0, .max = 10}
        );
    }

    /// For the trainer. `fingerprint`: of settings and data.
    [[nodiscard]] TrainOptions of(std::string_view label, std::string fingerprint) const {
        return {
            .label = std::string{label},
            .epochs = epochs,
            .batch_size = batch_size,
            .patience = patience,
            .learning_rate = learning_rate,
            .weight_decay = weight_decay,
            .fingerprint = std::move(fingerprint),
        };
    }
};

}  // namespace hg::train
