// SPDX-License-Identifier: Apache-2.0
// SlateMdp: a world of a few states, a few items and slates small enough to try them all, so that
// the optimum is known exactly.
//
// In state s the user takes item i of the slate with probability w(s, i) / (1 + sum of w over the
// slate), else nothing. Taking i earns r(s, i) and leads to state n(s, i); nothing leads to n(s).
// After every step the user leaves with probability 1 - discount, so the mean return of an episode
// is the discounted value and needs no horizon. The tables are drawn from task_seed.
//
//   const SlateMdp world{{.n_states = 4}};
//   const auto optimum = solve(world);          // value iteration: values and slates per state
#pragma once

#include "core/options.hpp"
#include "core/rng.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace hg::simulate {

struct SlateMdpOptions {
    std::int64_t n_states = 4;
    std::int64_t n_items = 5;
    std::int64_t slate_size = 2;
    double discount = 0.8;
    std::int64_t task_seed = 7;

    static void describe(OptionBinder& bind, SlateMdpOptions& o) {
        bind("n_states", o.n_states, "states of the user", {.min = 1, .max = 64});
        bind("n_items", o.n_items, "items", {.min = 1, .max = 16});
        bind("slate_size", o.slate_size, "items shown", {.min = 1, .max = 4});
        bind("discount", o.discount, "chance to stay after a step", {.min = 0, .max = 0.99});
        bind("task_seed", o.task_seed, "of the tables", {.min = 0, .max = 1e15});
    }
};

class SlateMdp final : public Environment {
  public:
    explicit SlateMdp(const SlateMdpOptions& options);

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override;
    [[nodiscard]] Observation observe() const override;
    [[nodiscard]] Transition step(std::span<const std::uint32_t> slate) override;
    [[nodiscard]] std::unique_ptr<Environment> clone() const override;
    [[nodiscard]] std::optional<double> expected_reward(std::span<const std::uint32_t> slate
    ) const override;
    [[nodiscard]] std::string describe_state() const override;

    [[nodiscard]] double discount() const noexcept { return options_.discount; }

    /// Mean reward plus discounted mean of `values` after showing the slate in a state.
    [[nodiscard]] double action_value(
        std::size_t state, std::span<const std::uint32_t> slate, std::span<const double> values
    ) const;

    /// Every slate (order does not matter here, so each set once), [n, slate_size].
    [[nodiscard]] const std::vector<std::vector<std::uint32_t>>& slates() const noexcept {
        return slates_;
    }

  private:
    void show_state();

    SlateMdpOptions options_;
    EnvironmentFacts facts_;
    Matrix<double> appeal_;                 // w, [n_states, n_items]
    Matrix<double> reward_;                 // r
    Matrix<std::uint32_t> next_;            // n(s, i)
    std::vector<std::uint32_t> next_idle_;  // n(s)
    std::vector<std::vector<std::uint32_t>> slates_;
    Rng random_{0};
    std::uint32_t state_ = 0;
    std::vector<float> user_;  // one-hot
    Matrix<float> items_;      // one-hot
    std::vector<std::uint32_t> item_ids_;
    std::vector<Response> responses_;
};

struct SlateMdpSolution {
    std::vector<double> values;                      // by state
    std::vector<std::vector<std::uint32_t>> slates;  // the best, by state
    double mean_value = 0;                           // over the uniform start state
};

/// Value iteration to 1e-12.
[[nodiscard]] SlateMdpSolution solve(const SlateMdp& world);

/// The exact mean return of a policy given as P(slate | state) over world.slates().
[[nodiscard]] double exact_return(
    const SlateMdp& world, const std::function<std::vector<double>(std::size_t state)>& policy
);

}  // namespace hg::simulate
