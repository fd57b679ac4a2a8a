// SPDX-License-Identifier: Apache-2.0
#include "simulate/feature_bandit.hpp"
#include "simulate/world_entry.hpp"

namespace hg::simulate {
namespace {

std::unique_ptr<Environment> linear_bandit_environment(const Settings& settings) {
    return make_feature_bandit(settings.read<FeatureBanditOptions>(), Link::linear);
}

}  // namespace

extern const WorldEntry linear_bandit{
    .name = "linear_bandit",
    .summary = "the mean reward is a linear function of the item's features",
    .options = &describe_options<FeatureBanditOptions>,
    .make = &linear_bandit_environment,
};

}  // namespace hg::simulate
