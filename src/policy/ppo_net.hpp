// SPDX-License-Identifier: Apache-2.0
// PPO as a part: agents/ppo.cpp is the agent of that name, agents/meta_policy.cpp the same learner
// with a belief. Private to this room.
#pragma once

#include "policy/actor_critic_net.hpp"

#include <cstdint>
#include <memory>

namespace hg::policy {

struct PpoOptions : ActorCriticOptions {
    double clip = 0.2;
    std::int64_t epochs = 4;
    std::int64_t minibatch = 1024;

    static void describe(OptionBinder& bind, PpoOptions& o) {
        ActorCriticOptions::describe(bind, o);
        bind("clip", o.clip, "how far a ratio may go from 1", {.min = 0, .max = 10});
        bind("epochs", o.epochs, "passes over a rollout", {.min = 1, .max = 100});
        bind("minibatch", o.minibatch, "steps per gradient", {.min = 1, .max = 1e6});
    }
};

[[nodiscard]] std::unique_ptr<Agent> make_ppo(
    const AgentContext& context, const PpoOptions& options
);

}  // namespace hg::policy
