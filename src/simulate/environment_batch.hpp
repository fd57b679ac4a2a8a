// SPDX-License-Identifier: Apache-2.0
// EnvironmentBatch: many users side by side in contiguous buffers, one step of all at a time.
//
// Agents learn from thousands of users at once; a network wants their observations as one matrix.
// A user whose episode is over starts a new one within the same step, with a seed of its own that
// depends only on (batch seed, user, episode), so results do not depend on the number of threads.
// No allocation after construction. Single-threaded.
//
//   auto batch = make_batch(*world, 256);
//   batch->reset(seed);
//   while (...) { choose(batch->users(), batch->items(), slates); batch->step(slates); }
#pragma once

#include "simulate/environment.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hg::simulate {

class EnvironmentBatch {
  public:
    EnvironmentBatch() = default;
    EnvironmentBatch(const EnvironmentBatch&) = delete;
    EnvironmentBatch& operator=(const EnvironmentBatch&) = delete;
    EnvironmentBatch(EnvironmentBatch&&) = delete;
    EnvironmentBatch& operator=(EnvironmentBatch&&) = delete;
    virtual ~EnvironmentBatch() = default;

    [[nodiscard]] virtual const EnvironmentFacts& facts() const noexcept = 0;
    [[nodiscard]] virtual std::size_t size() const noexcept = 0;

    virtual void reset(std::uint64_t seed) = 0;
    /// `slates`: [size, slate_size] indices of candidates.
    virtual void step(MatrixView<const std::uint32_t> slates) = 0;

    /// Before the next decision. Views hold until the next reset or step.
    [[nodiscard]] virtual MatrixView<const float> users() const = 0;  // [size, user_size]
    [[nodiscard]] virtual MatrixView<const float> items(
    ) const = 0;  // [size * n_candidates, item_size]
    [[nodiscard]] virtual MatrixView<const std::uint32_t> item_ids(
    ) const = 0;  // [size, n_candidates]
    [[nodiscard]] virtual std::span<const std::uint32_t> states() const = 0;  // [size]

    /// Of the last step.
    [[nodiscard]] virtual MatrixView<const Response> responses() const = 0;  // [size, slate_size]
    [[nodiscard]] virtual std::span<const double> rewards() const = 0;
    [[nodiscard]] virtual std::span<const std::uint8_t> ended() const = 0;
    [[nodiscard]] virtual std::span<const std::uint8_t> truncated() const = 0;
    /// The user part of the observation the last step led to, before a new episode began: what the
    /// value of a truncated episode is taken of. [size, user_size]
    [[nodiscard]] virtual MatrixView<const float> next_users() const = 0;
    /// Likewise the candidates, [size * n_candidates, item_size].
    [[nodiscard]] virtual MatrixView<const float> next_items() const = 0;
    [[nodiscard]] virtual MatrixView<const std::uint32_t> next_item_ids() const = 0;
    [[nodiscard]] virtual std::span<const std::uint32_t> next_states() const = 0;

    /// Mean reward of these slates now, one per user; NaN where the world cannot tell.
    virtual void expected_rewards(MatrixView<const std::uint32_t> slates, std::span<double> out)
        const = 0;

    /// A batch of the same world, for evaluation beside training.
    [[nodiscard]] virtual std::unique_ptr<EnvironmentBatch> make_another(std::size_t n_users
    ) const = 0;

    /// Of one user, before the next decision: for transcripts, never for agents.
    [[nodiscard]] virtual std::string describe_state(std::size_t user) const = 0;
};

/// `n_users` clones of the world. The world may go.
[[nodiscard]] std::unique_ptr<EnvironmentBatch> make_batch(
    const Environment& world, std::size_t n_users
);

}  // namespace hg::simulate
