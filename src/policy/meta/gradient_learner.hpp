// SPDX-License-Identifier: Apache-2.0
// GradientLearner: learners whose inner loop is gradient descent on a user's events: one network,
// six learners, four outer steps (gradient_plan.hpp). The files of learners/ say which paper each is.
//
// A belief holds the adapted weights and the events: an event more means the steps anew from
// theta, so that the order of events and how they arrive do not matter.
#pragma once

#include "policy/meta/gradient_plan.hpp"
#include "policy/meta/meta_learner.hpp"
#include "policy/meta/outer_options.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace hg::policy {

struct GradientOptions {
    OuterOptions outer;
    std::int64_t hidden = 32;
    std::int64_t layers = 2;
    std::int64_t inner_steps = 5;
    double inner_rate = 0.01;
    std::string support_loss = "sum";

    static void describe(OptionBinder& bind, GradientOptions& o);
};

[[nodiscard]] std::unique_ptr<MetaLearner> make_gradient_learner(
    std::size_t n_inputs, const GradientOptions& options, GradientPlan plan, Rng rng
);

}  // namespace hg::policy
