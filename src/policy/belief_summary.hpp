// SPDX-License-Identifier: Apache-2.0
// BeliefSummary: a belief in a few numbers that mean the same in every space, whatever its dimension:
// what an actor sees of a user. So an actor learned with one run can serve another, and one and the
// same number is learned from and served.
//
//   experience     log(1 + events) / log(51), 1 from 50 events on
//   liked          share of the events that were liked
//   uncertainty    trace C / trace C0: what is left of the prior's uncertainty
//   distance       |m - m0| / sqrt(trace C0): how far from where the user began
//
// A function of the events alone (no clock, no count of slates), so that a logged decision is made
// again exactly (serve/replay.hpp). O(d).
#pragma once

#include "policy/belief.hpp"
#include "train/gaussian_prior.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace hg::policy {

struct BeliefSummary {
    static constexpr std::array<std::string_view, 4> names{
        "experience", "liked", "uncertainty", "distance"
    };

    std::array<float, names.size()> values{};
};

/// How many events an experience stands for.
[[nodiscard]] double events_of(float experience);

[[nodiscard]] BeliefSummary summarise(const Belief& belief);

}  // namespace hg::policy
