// SPDX-License-Identifier: Apache-2.0
#include "serve/user_knobs.hpp"

#include "policy/belief_summary.hpp"

namespace hg::serve {

policy::KnobState knob_state(const policy::Belief* belief) {
    policy::KnobState state{.belief = belief};
    if (belief != nullptr) {
        state.summary = policy::summarise(*belief);
    }
    return state;
}

policy::Knobs knobs_of(const policy::KnobPolicy& policy, const Session& session) {
    const auto* const belief = session.belief.get();
    return session.settings->knobs.over(policy.choose(knob_state(belief)));
}

bool needs_signals(const policy::Knobs& knobs) noexcept {
    return knobs.exploration != 0 || knobs.novelty != 0 || knobs.content != 0;
}

}  // namespace hg::serve
