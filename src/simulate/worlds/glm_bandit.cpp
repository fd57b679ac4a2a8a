// SPDX-License-Identifier: Apache-2.0
#include "simulate/feature_bandit.hpp"
#include "simulate/world_entry.hpp"

namespace hg::simulate {
namespace {

std::unique_ptr<Environment> glm_bandit_environment(const Settings& settings) {
    return make_feature_bandit(settings.read<FeatureBanditOptions>(), Link::logit);
}

}  // namespace

extern const WorldEntry glm_bandit{
    .name = "glm_bandit",
    .summary = "the click probability is a logistic function of the item's features",
    .options = &describe_options<FeatureBanditOptions>,
    .make = &glm_bandit_environment,
};

}  // namespace hg::simulate
