// SPDX-License-Identifier: Apache-2.0
// BeliefFilterNet: the Gaussian belief of one session, differentiable in its prior. Private to this
// room.
//
// Answers are noisy looks at a preference, y = v(i) . u + e, e ~ N(0, s2), u ~ N(mu, P0^-1), and an
// older answer counts less (forgetting f). The inner loop is the posterior in information form, one
// product and one Cholesky for the whole session instead of an update per event:
//
//   P = P0 + sum_t w_t v_t v_t',   m = P^-1 (P0 mu + sum_t w_t y_t v_t),   w_t = f^age / s2
//
// The outer loop is the gradient of -log N(y_t | v_t . m_{<t}, v_t' P_{<t}^-1 v_t + s2): mu, P0, s2
// and f are what predicts the next answer of the users of the worlds it learns in (empirical Bayes
// by supervised episodes). The server's closed form (train/gaussian_prior.hpp) is the same belief.
#pragma once

#include "policy/session_tokens.hpp"

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>

namespace hg::policy {

/// What of an answer a belief is about.
enum class Answer : std::uint8_t {
    value,   // of every shown item: 0 where it was passed by
    rating,  // of clicked items only
};

struct BeliefFilterNet : torch::nn::Module {
    /// v(i) = the item's numbers and 1; d = item_size + 1.
    BeliefFilterNet(std::int64_t item_size, Answer answer);

    struct Posterior {
        at::Tensor mean;    // [B, d]
        at::Tensor factor;  // [B, d, d] lower, of the precision P
    };

    /// tokens [B, length, item_size + 4] (session_tokens.hpp); length may be 0.
    [[nodiscard]] Posterior posterior(const at::Tensor& tokens) const;

    struct Readout {
        at::Tensor mean;       // [B, n] v . m
        at::Tensor deviation;  // [B, n] sqrt(v' C v)

        static constexpr std::int64_t summary_size = 5;

        /// [B, 5]: the best mean, the mean and the spread of the means, the mean deviation, that of
        /// the best.
        [[nodiscard]] at::Tensor summary() const;
    };

    /// items [B, n, item_size]
    [[nodiscard]] Readout read(const Posterior& belief, const at::Tensor& items) const;

    /// Scores of one draw of u for each of `normals` [draws, d]: [B, draws, n].
    [[nodiscard]] at::Tensor draw(
        const Posterior& belief, const at::Tensor& items, const at::Tensor& normals
    ) const;

    /// Mean -log likelihood of the newest answer given those before it, over the rows that have one.
    [[nodiscard]] at::Tensor next_answer_loss(const at::Tensor& tokens) const;

    [[nodiscard]] std::int64_t dim() const { return mean.size(0); }

  private:
    struct Evidence {
        at::Tensor vectors;  // [B, length, d]
        at::Tensor answers;  // [B, length]
        at::Tensor present;  // [B, length] 1 where the token is an answer
    };

    [[nodiscard]] Evidence evidence(const at::Tensor& tokens) const;
    [[nodiscard]] at::Tensor noise() const;  // s2
    [[nodiscard]] Posterior update(const Evidence& seen) const;

    Answer answer_;
    at::Tensor mean;        // [d] mu
    at::Tensor factor;      // [d, d] lower triangle of the factor of P0, its diagonal by softplus
    at::Tensor log_noise;   // log s2
    at::Tensor remembered;  // logit of f
};

}  // namespace hg::policy
