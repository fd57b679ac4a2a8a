// SPDX-License-Identifier: Apache-2.0
// The policy gradients as parts: agents/ppo.cpp, a2c.cpp and reinforce.cpp are the agents of these
// names; meta_policy and in_context take one of them as their outer loop. Private to this room.
#pragma once

#include "policy/actor_critic_net.hpp"

#include <cstdint>
#include <memory>
#include <string>

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

struct ReinforceOptions : ActorCriticOptions {
    bool top_k_correction = true;

    static void describe(OptionBinder& bind, ReinforceOptions& o) {
        ActorCriticOptions::describe(bind, o);
        bind("top_k_correction", o.top_k_correction, "credit clicked items, corrected for K");
    }
};

/// min(rho A, clip(rho, 1 - clip, 1 + clip) A), rho = new over old probability; all [B].
[[nodiscard]] at::Tensor clipped_gain(
    const at::Tensor& log_prob,
    const at::Tensor& old_log_prob,
    const at::Tensor& advantage,
    double clip
);

/// What the advantage multiplies in the top-K correction: K (1 - pi)^(K - 1) log pi of the clicked
/// items, the factor held fixed; of a slate that nobody clicked the mean over its items. scores
/// [B, n]; slates and clicked [B, K]; returns [B].
[[nodiscard]] at::Tensor top_k_log_prob(
    const at::Tensor& scores, const at::Tensor& slates, const at::Tensor& clicked
);

[[nodiscard]] std::unique_ptr<ActorCritic> make_ppo(
    const AgentContext& context, const PpoOptions& options
);

[[nodiscard]] std::unique_ptr<ActorCritic> make_a2c(
    const AgentContext& context, const ActorCriticOptions& options
);

[[nodiscard]] std::unique_ptr<ActorCritic> make_reinforce(
    const AgentContext& context, const ReinforceOptions& options
);

/// Any of them. clip, epochs and minibatch are PPO's.
struct OuterLoopOptions : PpoOptions {
    std::string outer = "ppo";

    static void describe(OptionBinder& bind, OuterLoopOptions& o) {
        bind(
            "outer",
            o.outer,
            "the policy gradient; a2c and reinforce take one step per rollout, so give them short "
            "ones",
            {.choices = {"ppo", "a2c", "reinforce"}}
        );
        PpoOptions::describe(bind, o);
    }
};

[[nodiscard]] std::unique_ptr<ActorCritic> make_outer_loop(
    const AgentContext& context, const OuterLoopOptions& options
);

}  // namespace hg::policy
