// SPDX-License-Identifier: Apache-2.0
#include "simulate/worlds/slate_mdp.hpp"

#include "simulate/slates.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::simulate {
SlateMdp::SlateMdp(const SlateMdpOptions& options)
    : options_(options),
      appeal_(
          static_cast<std::size_t>(options.n_states), static_cast<std::size_t>(options.n_items)
      ),
      reward_(appeal_.rows(), appeal_.cols()),
      next_(appeal_.rows(), appeal_.cols()),
      next_idle_(appeal_.rows()),
      user_(appeal_.rows()),
      items_(appeal_.cols(), appeal_.cols()),
      item_ids_(appeal_.cols()),
      responses_(static_cast<std::size_t>(options.slate_size)) {
    check_slate_size(options.slate_size, options.n_items);
    slates_ = all_slates(appeal_.cols(), responses_.size());
    Rng random{static_cast<std::uint64_t>(options.task_seed)};
    for (std::size_t s = 0; s < appeal_.rows(); ++s) {
        for (std::size_t i = 0; i < appeal_.cols(); ++i) {
            appeal_(s, i) = std::exp(random.normal());
            reward_(s, i) = random.uniform();
            next_(s, i) = static_cast<std::uint32_t>(random.below(appeal_.rows()));
        }
        next_idle_[s] = static_cast<std::uint32_t>(random.below(appeal_.rows()));
    }
    for (std::size_t i = 0; i < items_.rows(); ++i) {
        items_(i, i) = 1;
        item_ids_[i] = static_cast<std::uint32_t>(i);
    }
    facts_ = {
        .n_candidates = items_.rows(),
        .slate_size = responses_.size(),
        .user_size = user_.size(),
        .item_size = items_.cols(),
        .n_items = items_.rows(),
        .n_states = user_.size(),
    };
    show_state();
}

void SlateMdp::reset(std::uint64_t seed) {
    random_ = Rng{seed};
    state_ = static_cast<std::uint32_t>(random_.below(user_.size()));
    show_state();
}

Observation SlateMdp::observe() const {
    return {.user = user_, .items = items_.view(), .item_ids = item_ids_, .state = state_};
}

Transition SlateMdp::step(std::span<const std::uint32_t> slate) {
    check_slate(facts_, slate);
    std::ranges::fill(responses_, Response{});
    double total = 1;
    for (const auto item : slate) {
        total += appeal_(state_, item);
    }
    double draw = random_.uniform() * total;
    double reward = 0;
    auto next = next_idle_[state_];
    for (std::size_t slot = 0; slot < slate.size(); ++slot) {
        draw -= appeal_(state_, slate[slot]);
        if (draw < 0) {
            reward = reward_(state_, slate[slot]);
            responses_[slot] = {.clicked = true, .value = static_cast<float>(reward)};
            next = next_(state_, slate[slot]);
            break;
        }
    }
    state_ = next;
    show_state();
    return {
        .responses = responses_,
        .reward = reward,
        .ended = random_.uniform() >= options_.discount,
    };
}

std::unique_ptr<Environment> SlateMdp::clone() const {
    return std::make_unique<SlateMdp>(*this);
}

std::optional<double> SlateMdp::expected_reward(std::span<const std::uint32_t> slate) const {
    return action_value(state_, slate, std::vector<double>(user_.size()));
}

std::string SlateMdp::describe_state() const {
    return fmt::format("state={}", state_);
}

double SlateMdp::action_value(
    std::size_t state, std::span<const std::uint32_t> slate, std::span<const double> values
) const {
    double total = 1;
    double sum = options_.discount * values[next_idle_[state]];
    for (const auto item : slate) {
        const double weight = appeal_(state, item);
        total += weight;
        sum += weight * (reward_(state, item) + options_.discount * values[next_(state, item)]);
    }
    return sum / total;
}

void SlateMdp::show_state() {
    std::ranges::fill(user_, 0.0F);
    user_[state_] = 1;
}

SlateMdpSolution solve(const SlateMdp& world) {
    const auto n_states = world.facts().n_states;
    SlateMdpSolution best{.values = std::vector<double>(n_states), .slates = {}, .mean_value = 0};
    best.slates.resize(n_states);
    double change = 1;
    while (change > 1e-12) {
        change = 0;
        std::vector<double> values(n_states, -1);
        for (std::size_t s = 0; s < n_states; ++s) {
            for (const auto& slate : world.slates()) {
                const double value = world.action_value(s, slate, best.values);
                if (value > values[s]) {
                    values[s] = value;
                    best.slates[s] = slate;
                }
            }
            change = std::max(change, std::abs(values[s] - best.values[s]));
        }
        best.values = std::move(values);
    }
    best.mean_value = std::accumulate(best.values.begin(), best.values.end(), 0.0) /
                      static_cast<double>(n_states);
    return best;
}

double exact_return(
    const SlateMdp& world, const std::function<std::vector<double>(std::size_t state)>& policy
) {
    const auto n_states = world.facts().n_states;
    std::vector<std::vector<double>> shares;
    for (std::size_t s = 0; s < n_states; ++s) {
        shares.push_back(policy(s));
        HG_CHECK(shares.back().size() == world.slates().size(), "one probability per slate");
    }
    std::vector<double> values(n_states);
    double change = 1;
    while (change > 1e-12) {
        change = 0;
        std::vector<double> next(n_states);
        for (std::size_t s = 0; s < n_states; ++s) {
            for (std::size_t a = 0; a < shares[s].size(); ++a) {
                if (shares[s][a] > 0) {
                    next[s] += shares[s][a] * world.action_value(s, world.slates()[a], values);
                }
            }
            change = std::max(change, std::abs(next[s] - values[s]));
        }
        values = std::move(next);
    }
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n_states);
}

namespace {

std::unique_ptr<Environment> slate_mdp_environment(const Settings& settings) {
    return std::make_unique<SlateMdp>(settings.read<SlateMdpOptions>());
}

}  // namespace

extern const WorldEntry slate_mdp{
    .name = "slate_mdp",
    .summary = "a few states and items, its optimum computed exactly",
    .options = &describe_options<SlateMdpOptions>,
    .make = &slate_mdp_environment,
};

}  // namespace hg::simulate
