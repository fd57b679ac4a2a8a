// SPDX-License-Identifier: Apache-2.0
#include "policy/belief_summary.hpp"

#include <algorithm>
#include <cmath>

namespace hg::policy {

namespace {

constexpr std::uint32_t many = 50;

}  // namespace

double events_of(float experience) {
    return std::expm1(static_cast<double>(experience) * std::log1p(many));
}

BeliefSummary summarise(const Belief& belief) {
    const double trace = belief.start_trace;
    double squares = 0;
    for (std::size_t i = 0; i < belief.start_mean.size(); ++i) {
        const double moved = belief.posterior.mean[i] - belief.start_mean[i];
        squares += moved * moved;
    }
    const double events = std::min(belief.n_events, many);
    const double liked = belief.n_events > 0 ? static_cast<double>(belief.n_liked) /
                                                   static_cast<double>(belief.n_events)
                                             : 0;
    const double distance = trace > 0 ? std::sqrt(squares / trace) : 0;
    return {
        .values =
            {
                static_cast<float>(std::log1p(events) / std::log1p(many)),
                static_cast<float>(liked),
                static_cast<float>(uncertainty_left(belief)),
                static_cast<float>(distance),
            }
    };
}

}  // namespace hg::policy
