// SPDX-License-Identifier: Apache-2.0
// LearnedReward: what a step was worth, learned from logged rewards instead of written as a formula.
//
// It reads a row per decision: the user's numbers and the token of what was shown and answered
// (session_features.hpp). Three kinds:
//   features  ridge regression on the row (hazard.hpp's sibling, closed form)
//   rnn       a GRU over the rows of the session, a linear head: rewards that depend on the past
//   vae       a variational autoencoder of the row (Kingma and Welling, 2014); a linear head on the
//             mean of the code: rewards that follow the main directions of behaviour, not its noise
// Fitting is fit_reward.hpp; this is torch-free. Const-safe.
//
//   std::vector<float> state(reward.state_size());
//   const double r = reward.step(row, state);            // rows of a session in order
#pragma once

#include "core/safetensors.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/member.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::simulate {

enum class RewardKind : std::uint8_t { features, rnn, vae };

[[nodiscard]] std::string_view to_string(RewardKind kind) noexcept;

/// Throws Error{invalid_argument} with the known words.
[[nodiscard]] RewardKind parse_reward_kind(std::string_view word);

struct LearnedReward {
    RewardKind kind = RewardKind::features;
    GruLayer gru;        // rnn
    DenseLayer encoder;  // vae: row -> hidden, tanh
    DenseLayer code;     // vae: hidden -> mean of the code
    DenseLayer head;     // -> 1, in scaled units
    float mean = 0;
    float sd = 1;

    [[nodiscard]] std::size_t state_size() const noexcept {
        return kind == RewardKind::rnn ? gru.state.weight.rows() : 0;
    }

    /// Expected reward of the decision; moves the state on. `state` is all 0 when a session begins.
    [[nodiscard]] double step(std::span<const float> row, std::span<float> state) const;
};

/// Tensors reward.KIND.*; throws Error{not_found} where the world was fitted without.
[[nodiscard]] LearnedReward load_learned_reward(
    const SafetensorsFile& file, RewardKind kind, std::size_t row_size
);

}  // namespace hg::simulate
