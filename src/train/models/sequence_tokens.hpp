// SPDX-License-Identifier: Apache-2.0
// sequence_tokens: histories as the tokens a sequence net reads, and its states as logits want them.
// Private to this room.
#pragma once

#include "core/matrix.hpp"
#include "data/history.hpp"
#include "train/models/sequence_net.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace hg::train {

using Tokens = std::vector<std::int64_t>;

/// Positive items as tokens (1 + item), oldest first.
[[nodiscard]] Tokens tokens_of(const data::History& history);

/// The last max_length tokens of (start, items...).
[[nodiscard]] Tokens with_start(Tokens items, std::int64_t max_length);

/// Content rows at length 1, so that encoders of any scale suit one initialisation; a missing row
/// stays 0.
[[nodiscard]] at::Tensor unit_rows(MatrixView<const float> content);

/// Vectors as the logits want them: as they are, or at length 1.
[[nodiscard]] at::Tensor for_logits(const at::Tensor& rows, double temperature);
[[nodiscard]] at::Tensor state_for_logits(const at::Tensor& states, double temperature);

/// The state after the last token of each sequence, [B, D], without gradients; sequences of any
/// number and of any length up to max_length, passed through the net in small groups of like length.
/// tokens: the net's token_table.
[[nodiscard]] at::Tensor last_states(
    SequenceNet& net, const at::Tensor& tokens, std::span<const Tokens> sequences
);

}  // namespace hg::train
