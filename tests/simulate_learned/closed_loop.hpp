// SPDX-License-Identifier: Apache-2.0
// A known world logged by a uniform policy, for tests of worlds learned from such a log.
#pragma once

#include "core/rng.hpp"
#include "data/impression_log.hpp"
#include "simulate/environment.hpp"
#include "simulate/learned/feedback_from_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace hg::simulate {

/// `n_decisions` of random slates, episode after episode.
inline data::ImpressionLog random_log(
    Environment& world, std::size_t n_decisions, bool features = true
) {
    const auto& facts = world.facts();
    data::ImpressionLog log;
    Rng rng{5};
    std::uint64_t episode = 0;
    world.reset(episode);
    std::vector<std::uint32_t> order(facts.n_candidates);
    for (std::size_t i = 0; i < n_decisions; ++i) {
        const auto seen = world.observe();
        data::ImpressionRow row;
        row.recommendation_id = fmt::format("r{}", i);
        row.user_id = fmt::format("u{}", episode);
        row.policy = "random";
        row.state.assign(seen.user.begin(), seen.user.end());
        for (std::size_t c = 0; c < facts.n_candidates; ++c) {
            row.candidates.push_back(fmt::format("{}", c));
            const auto x = seen.items.row(c);
            if (features) {
                row.candidate_features.insert(row.candidate_features.end(), x.begin(), x.end());
            }
        }
        std::iota(order.begin(), order.end(), 0U);
        rng.shuffle(std::span{order});
        const auto slate = std::span{order}.first(facts.slate_size);
        const auto step = world.step(slate);
        for (std::size_t k = 0; k < slate.size(); ++k) {
            data::LoggedSlot slot;
            slot.item_id = fmt::format("{}", slate[k]);
            slot.propensity = 1.0 / static_cast<double>(facts.n_candidates - k);
            slot.clicked = step.responses[k].clicked;
            slot.value = static_cast<double>(step.responses[k].value);
            row.slots.push_back(slot);
        }
        row.reward = step.reward;
        row.ended = step.ended;
        log.append(row);
        if (step.ended || step.truncated) {
            world.reset(++episode);
        }
    }
    return log;
}

}  // namespace hg::simulate
