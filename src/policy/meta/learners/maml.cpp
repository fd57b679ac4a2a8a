// SPDX-License-Identifier: Apache-2.0
// MAML (Finn, Abbeel and Levine, 2017, algorithm 1): a start from which a few gradient steps on a
// user's events lead to good weights; the outer gradient goes through the steps, second order and
// all.
//
//   theta <- theta - b grad_theta sum over users of L_Q(theta - a grad L_S(theta))
//
// Deviations: AdamW outside, the number of support events is drawn from 0..max_support, and L_S is
// a sum over events (inner_loop_net.hpp); `support_loss = "mean"` is the published one.
#include "policy/meta/gradient_learner.hpp"

namespace hg::policy {
namespace {

struct MamlOptions : GradientOptions {
    MamlOptions() { inner_steps = 3; }

    static void describe(OptionBinder& bind, MamlOptions& o) { GradientOptions::describe(bind, o); }
};

std::unique_ptr<MetaLearner> maml_learner(std::size_t n_inputs, const Settings& settings, Rng rng) {
    return make_gradient_learner(
        n_inputs, settings.read<MamlOptions>(), {.outer = OuterStep::through_inner}, rng
    );
}

}  // namespace

extern const MetaLearnerEntry maml{
    .name = "maml",
    .summary = "a start for all weights, second order through the inner steps",
    .facts = MetaFact::adapts,
    .options = &describe_options<MamlOptions>,
    .make = &maml_learner,
};

}  // namespace hg::policy
