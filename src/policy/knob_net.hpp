// SPDX-License-Identifier: Apache-2.0
// KnobNet: the actor of the server (knob_head_net.hpp) with a value beside it, as the policy gradients learn it.
// Private to this room.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/knob_head_net.hpp"

namespace hg::policy {

struct KnobNet final : AgentNet {
    /// Throws Error where the world is not that of a served run.
    KnobNet(const AgentContext& context, const NetworkOptions& options)
        : AgentNet(context, options), head_(context.world, options.hidden) {
        register_module("knob_hidden", head_.hidden);
        register_module("knob_out", head_.out);
    }

    Output forward(const NetInput& in) override {
        auto out = AgentNet::forward(in);
        out.scores = head_.scores(in);
        return out;
    }

  private:
    KnobHead head_;
};

}  // namespace hg::policy
