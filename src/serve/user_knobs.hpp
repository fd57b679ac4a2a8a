// SPDX-License-Identifier: Apache-2.0
// user_knobs: which knobs are in force for a user: those the policy chooses from the belief, and over
// them those set by hand.
#pragma once

#include "policy/knobs.hpp"
#include "serve/session.hpp"

namespace hg::serve {

[[nodiscard]] policy::KnobState knob_state(const policy::Belief* belief);

/// Under the session's lock.
[[nodiscard]] policy::Knobs knobs_of(const policy::KnobPolicy& policy, const Session& session);

/// Do these knobs weigh anything signals_of() computes?
[[nodiscard]] bool needs_signals(const policy::Knobs& knobs) noexcept;

}  // namespace hg::serve
