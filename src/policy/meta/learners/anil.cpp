// SPDX-License-Identifier: Apache-2.0
// ANIL (Raghu et al., 2020): MAML whose inner steps touch only the last layer, the preference
// head; the body is shared by all users and learned outside.
#include "policy/meta/gradient_learner.hpp"

namespace hg::policy {
namespace {

struct AnilOptions : GradientOptions {
    static void describe(OptionBinder& bind, AnilOptions& o) { GradientOptions::describe(bind, o); }
};

std::unique_ptr<MetaLearner> anil_learner(std::size_t n_inputs, const Settings& settings, Rng rng) {
    return make_gradient_learner(
        n_inputs,
        settings.read<AnilOptions>(),
        {.outer = OuterStep::through_inner, .adapted = Adapted::head},
        rng
    );
}

}  // namespace

extern const MetaLearnerEntry anil{
    .name = "anil",
    .summary = "MAML on the preference head only",
    .facts = MetaFact::adapts,
    .options = &describe_options<AnilOptions>,
    .make = &anil_learner,
};

}  // namespace hg::policy
