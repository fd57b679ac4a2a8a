// SPDX-License-Identifier: Apache-2.0
// ranking_loss: the losses of sequence models: full softmax, sampled softmax, one negative with
// binary cross-entropy. cross-entropy.
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

/// One negative per token: negatives.items beside targets.
[[nodiscard]] at::Tensor bce_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives
);

}  // namespace hg::train
