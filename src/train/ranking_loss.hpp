// SPDX-License-Identifier: Apache-2.0
// ranking_loss: the losses of sequence models: full softmax, sampled softmax, binary cross-entropy
// with one negative or, calibrated, with many.
//
// Full softmax is exact and, up to some ten thousand items, also the fastest per epoch to a good
// model. Sampled softmax shares `n_negatives` items drawn for the whole batch: one matrix product
// instead of a gather per token. With the log-Q correction its sum over the negatives estimates the
// full softmax's partition function without bias (Bengio and Senecal, 2008).
#pragma once

#include "core/rng.hpp"
#include "core/tensor_fwd.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace hg::train {

/// Items drawn to stand for all others, and how likely each was (per draw).
struct Negatives {
    std::vector<std::int64_t> items;
    std::vector<float> probabilities;
};

/// Draws with replacement from shares of popularity^power; power 0 = uniform.
class NegativeSampler {
  public:
    NegativeSampler(std::span<const float> popularity, double power);
    [[nodiscard]] Negatives draw(std::size_t count, Rng& rng) const;

  private:
    std::vector<double> cumulative_;
};

/// Mean over tokens. states [M, D], table [N, D], targets [M] int64.
[[nodiscard]] at::Tensor full_softmax_loss(
    const at::Tensor& states, const at::Tensor& table, const at::Tensor& targets
);

/// As above over the target and the negatives; a negative that is a token's target does not count
/// there. `correct_log_q`: adds -log(count x probability) to the negatives' logits.
[[nodiscard]] at::Tensor sampled_softmax_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives,
    bool correct_log_q
);

/// Tokens that share negatives in gbce_loss.
constexpr std::int64_t gbce_group = 64;

/// Generalised binary cross-entropy over each target and its negatives: the probability of the
/// target to the power beta, which undoes the overconfidence of having drawn few negatives (Petrov
/// and Macdonald, "gSASRec", 2023, equations 8 and 9). calibration: t of the paper, 0 = binary
/// cross-entropy, 1 = in full. Deviation: gbce_group tokens in a row share negatives, an equal part
/// of `negatives` for each group, and one that is a token's target does not count there. Sharing
/// them over the whole batch does not work: an item that is drawn is pushed by all tokens at once,
/// and Adam makes its step so small that tastes are never learned.
[[nodiscard]] at::Tensor gbce_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives,
    double calibration
);

/// One negative per token: negatives.items beside targets.
[[nodiscard]] at::Tensor bce_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives
);

}  // namespace hg::train
