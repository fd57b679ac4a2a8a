// SPDX-License-Identifier: Apache-2.0
// demo_meta_policy: the demo's learner of users, small: a belief fitted on half of the users, a policy
// that learns from some of the others how to serve people it has never seen, and how both do with
// the rest, film by film.
#pragma once

#include "app/command.hpp"
#include "data/dataset.hpp"

#include <filesystem>

namespace hg::app {

/// Prints what strangers find by turn; what is in `folder` already is not made again.
void learn_small_meta_policy(
    const data::Dataset& dataset, const std::filesystem::path& folder, Session& session
);

}  // namespace hg::app
