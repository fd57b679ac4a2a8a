// SPDX-License-Identifier: Apache-2.0
// FeatureBandit: fresh items at every step, each a vector x ~ N(0, I); the mean reward is a link of
// u = theta . x / sqrt(d): the worlds linear_bandit and glm_bandit.
//
// theta points anywhere alike and has length `scale`; fixed by task_seed or new in every episode.
//
//   linear: reward = u + N(0, noise^2)
//   logit:  click with probability 1 / (1 + exp(-(bias + u)))
#pragma once

#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace hg::simulate {

enum class Link : std::uint8_t { linear, logit };

struct FeatureBanditOptions {
    std::int64_t n_candidates = 10;
    std::int64_t dim = 8;
    double noise = 0.1;
    double bias = -1;
    double scale = 3;
    std::string redraw = "never";
    std::int64_t task_seed = 7;
    std::int64_t step_limit = 1000;

    static void describe(OptionBinder& bind, FeatureBanditOptions& o) {
        bind("n_candidates", o.n_candidates, "items offered", {.min = 2, .max = 10000});
        bind("dim", o.dim, "numbers per item", {.min = 1, .max = 1000});
        bind("noise", o.noise, "standard deviation of a linear reward", {.min = 0, .max = 100});
        bind("bias", o.bias, "logit of an average item", {.min = -20, .max = 20});
        bind("scale", o.scale, "length of theta, in logits or rewards", {.min = 0, .max = 100});
        bind(
            "redraw",
            o.redraw,
            "theta is that of task_seed, or new in every episode",
            {.choices = {"never", "episode"}}
        );
        bind("task_seed", o.task_seed, "of theta", {.min = 0, .max = 1e15});
        bind("step_limit", o.step_limit, "steps of an episode", {.min = 1, .max = 1e9});
    }
};

[[nodiscard]] std::unique_ptr<Environment> make_feature_bandit(
    const FeatureBanditOptions& options, Link link
);

}  // namespace hg::simulate
