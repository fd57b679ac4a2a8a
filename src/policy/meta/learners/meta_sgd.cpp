// SPDX-License-Identifier: Apache-2.0
// Meta-SGD (Li, Zhou, Chen and Li, 2017) on the preference head: the inner steps have a learned
// rate per weight, so that the outer loop decides which preferences move, how far and in which
// direction.
//
// Deviation: rates are learned as factors of inner_rate; the head only, as ANIL, and several steps where the paper takes one.
#include "policy/meta/gradient_learner.hpp"

namespace hg::policy {
namespace {

struct MetaSgdOptions : GradientOptions {
    static void describe(OptionBinder& bind, MetaSgdOptions& o) {
        GradientOptions::describe(bind, o);
    }
};

std::unique_ptr<MetaLearner> meta_sgd_learner(
    std::size_t n_inputs, const Settings& settings, Rng rng
) {
    return make_gradient_learner(
        n_inputs,
        settings.read<MetaSgdOptions>(),
        {.outer = OuterStep::through_inner, .adapted = Adapted::head, .rates = Rates::learned},
        rng
    );
}

}  // namespace

extern const MetaLearnerEntry meta_sgd{
    .name = "meta_sgd",
    .summary = "ANIL with a learned inner rate per weight",
    .facts = MetaFact::adapts,
    .options = &describe_options<MetaSgdOptions>,
    .make = &meta_sgd_learner,
};

}  // namespace hg::policy
