// SPDX-License-Identifier: Apache-2.0
// Every file of configs/ is in the program and fits what it is for.
#include "app/shipped_configs.hpp"

#include "app/run_options.hpp"
#include "app/world_source.hpp"
#include "policy/agent.hpp"
#include "policy/learn.hpp"
#include "serve/served_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hg::app {
namespace {

TEST(ShippedConfigs, are_those_of_the_meta_policy) {
    std::vector<std::string> names;
    for (const auto& config : shipped_configs()) {
        names.emplace_back(config.name);
    }

    EXPECT_THAT(
        names,
        testing::UnorderedElementsAre("meta_policy/small", "meta_policy/base", "meta_policy/large")
    );
}

TEST(ShippedConfigs, fit_the_agent_the_world_and_the_loop) {
    for (const auto& config : shipped_configs()) {
        const auto parts = policy_settings(find_shipped_config(config.name).value());

        EXPECT_NO_THROW((void)parts.agent.resolve(policy::find_agent("meta_policy").options));
        EXPECT_NO_THROW((void)parts.world.read<serve::ServedWorldOptions>());
        EXPECT_GT(parts.learn.read<policy::LearnOptions>().steps, 0) << config.name;
    }
}

TEST(ShippedConfigs, are_found_by_name_and_overridden_by_set) {
    const RunOptions options{.config = "meta_policy/small", .set = {"hidden=7"}};

    const auto settings = options.settings();

    EXPECT_EQ(settings.values().at("hidden").text, "7");
    EXPECT_EQ(settings.values().at("rollout").text, "20");
    EXPECT_FALSE(find_shipped_config("meta_policy/huge").has_value());
}

}  // namespace
}  // namespace hg::app
