// SPDX-License-Identifier: Apache-2.0
// demo_policy: the reinforcement-learning half of the demo, small: a world learned from the log, a
// policy learned in it, and the gate's decision on a log from a family of worlds the policy has not
// learned in.
#pragma once

#include "app/command.hpp"

#include <filesystem>
#include <string>

namespace hg::app {

/// Prints the curve and the decision; what is in `folder` already is not made again. Returns the
/// outcome in a sentence.
[[nodiscard]] std::string learn_small_policy(
    const std::filesystem::path& dataset, const std::filesystem::path& folder, Session& session
);

}  // namespace hg::app
