// SPDX-License-Identifier: Apache-2.0
// fine_tune: the control of every gradient learner: one network trained on all users' events at
// once, then the same gradient steps on a new user's events. Nothing was learned about learning.
#include "policy/meta/gradient_learner.hpp"

namespace hg::policy {
namespace {

struct FineTuneOptions : GradientOptions {
    static void describe(OptionBinder& bind, FineTuneOptions& o) {
        GradientOptions::describe(bind, o);
    }
};

std::unique_ptr<MetaLearner> fine_tune_learner(
    std::size_t n_inputs, const Settings& settings, Rng rng
) {
    return make_gradient_learner(
        n_inputs, settings.read<FineTuneOptions>(), {.outer = OuterStep::pooled}, rng
    );
}

}  // namespace

extern const MetaLearnerEntry fine_tune{
    .name = "fine_tune",
    .summary = "trained on everybody, fine-tuned on the user: no meta-learning",
    .facts = MetaFact::adapts,
    .options = &describe_options<FineTuneOptions>,
    .make = &fine_tune_learner,
};

}  // namespace hg::policy
