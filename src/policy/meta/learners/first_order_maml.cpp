// SPDX-License-Identifier: Apache-2.0
// First-order MAML (Finn, Abbeel and Levine, 2017, section 5.2): the outer gradient is that of the
// queries' loss at the adapted weights, as if the inner steps did not depend on theta.
#include "policy/meta/gradient_learner.hpp"

namespace hg::policy {
namespace {

struct FirstOrderMamlOptions : GradientOptions {
    FirstOrderMamlOptions() { inner_steps = 3; }

    static void describe(OptionBinder& bind, FirstOrderMamlOptions& o) {
        GradientOptions::describe(bind, o);
    }
};

std::unique_ptr<MetaLearner> first_order_maml_learner(
    std::size_t n_inputs, const Settings& settings, Rng rng
) {
    return make_gradient_learner(
        n_inputs,
        settings.read<FirstOrderMamlOptions>(),
        {.outer = OuterStep::through_last_point},
        rng
    );
}

}  // namespace

extern const MetaLearnerEntry first_order_maml{
    .name = "first_order_maml",
    .summary = "MAML without the second derivatives",
    .facts = MetaFact::adapts,
    .options = &describe_options<FirstOrderMamlOptions>,
    .make = &first_order_maml_learner,
};

}  // namespace hg::policy
