// SPDX-License-Identifier: Apache-2.0
// Reptile (Nichol, Achiam and Schulman, 2018, algorithm 2): theta moves towards where the inner
// steps end, averaged over users; no query and no gradient of a gradient. `learning_rate` is the
// share of the way.
#include "policy/meta/gradient_learner.hpp"

namespace hg::policy {
namespace {

struct ReptileOptions : GradientOptions {
    ReptileOptions() { outer.learning_rate = 0.3; }

    static void describe(OptionBinder& bind, ReptileOptions& o) {
        GradientOptions::describe(bind, o);
    }
};

std::unique_ptr<MetaLearner> reptile_learner(
    std::size_t n_inputs, const Settings& settings, Rng rng
) {
    return make_gradient_learner(
        n_inputs, settings.read<ReptileOptions>(), {.outer = OuterStep::towards_adapted}, rng
    );
}

}  // namespace

extern const MetaLearnerEntry reptile{
    .name = "reptile",
    .summary = "moves the start towards where users' own gradient steps end",
    .facts = MetaFact::adapts,
    .options = &describe_options<ReptileOptions>,
    .make = &reptile_learner,
};

}  // namespace hg::policy
