// SPDX-License-Identifier: Apache-2.0
// SessionTokens: what was shown to each user in this episode and what came of it, as rows a state
// encoder reads.
//
// A token is one shown item: its features, clicked, value, rating, a mark that the place is taken
// (these item_size + 4 numbers are the answer), and the item's number in the world, exact below
// 2^24. The last `length` tokens are kept, newest last, right-aligned;
// [B, length * token_size] is one row per user. A new episode starts empty. Single-threaded.
//
//   SessionTokens tokens{facts, n_users, 16};
//   tokens.append(before, slates, batch);    // after batch.step(); `before` as it was observed
//   agent->act(observe(batch, tokens.view()), ...);
#pragma once

#include "core/matrix.hpp"
#include "policy/agent.hpp"
#include "simulate/environment_batch.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hg::policy {

/// One token into `place` (SessionTokens::token_size).
void write_token(
    std::span<float> place,
    std::span<const float> item,
    std::uint32_t item_id,
    const simulate::Response& response
);

class SessionTokens {
  public:
    /// length 0: no tokens, views 0 wide.
    SessionTokens(const simulate::EnvironmentFacts& facts, std::size_t n_users, std::size_t length);

    static constexpr std::size_t n_marks = 4;  // clicked, value, rating, present
    /// Of an answer that follows its item's features, and of the number behind it.
    static constexpr std::size_t n_behind = n_marks + 1;

    [[nodiscard]] static std::size_t token_size(const simulate::EnvironmentFacts& facts) noexcept {
        return facts.item_size + n_behind;
    }

    void clear();

    /// `seen`: what the slates were chosen by.
    void append(
        const ObservationBatch& seen,
        MatrixView<const std::uint32_t> slates,
        const simulate::EnvironmentBatch& batch
    );

    /// Before the next decision.
    [[nodiscard]] MatrixView<const float> view() const { return tokens_.view(); }

    /// After the last step, before new episodes began.
    [[nodiscard]] MatrixView<const float> next() const { return next_.view(); }

  private:
    std::size_t n_candidates_;
    std::size_t item_size_;
    std::size_t length_;
    Matrix<float> tokens_;
    Matrix<float> next_;
};

}  // namespace hg::policy
