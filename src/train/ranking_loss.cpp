// SPDX-License-Identifier: Apache-2.0
#include "train/ranking_loss.hpp"

#include "core/error.hpp"

#include <torch/types.h>

#include <algorithm>
#include <cmath>

namespace hg::train {
namespace {

at::Tensor index_of(const std::vector<std::int64_t>& values) {
    return torch::tensor(at::ArrayRef<std::int64_t>{values}, at::kLong);
}

/// Row by row inner product, [M].
at::Tensor own_logits(const at::Tensor& states, const at::Tensor& table, const at::Tensor& items) {
    return (states * at::embedding(table, items)).sum(1);
}

}  // namespace

NegativeSampler::NegativeSampler(std::span<const float> popularity, double power) {
    HG_CHECK(!popularity.empty(), "negatives need items");
    double sum = 0;
    for (const auto count : popularity) {
        sum += std::pow(static_cast<double>(count) + 1, power);
        cumulative_.push_back(sum);
    }
    for (auto& value : cumulative_) {
        value /= sum;
    }
}

Negatives NegativeSampler::draw(std::size_t count, Rng& rng) const {
    Negatives drawn;
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = std::ranges::upper_bound(cumulative_, rng.uniform());
        const auto item =
            std::min(static_cast<std::size_t>(at - cumulative_.begin()), cumulative_.size() - 1);
        drawn.items.push_back(static_cast<std::int64_t>(item));
        const auto before = item == 0 ? 0.0 : cumulative_[item - 1];
        drawn.probabilities.push_back(static_cast<float>(cumulative_[item] - before));
    }
    return drawn;
}

at::Tensor full_softmax_loss(
    const at::Tensor& states, const at::Tensor& table, const at::Tensor& targets
) {
    return at::cross_entropy_loss(states.matmul(table.t()), targets);
}

at::Tensor sampled_softmax_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives,
    bool correct_log_q
) {
    const auto drawn = index_of(negatives.items);
    auto logits = states.matmul(at::embedding(table, drawn).t());  // [M, K]
    if (correct_log_q) {
        const auto expected =
            torch::tensor(at::ArrayRef<float>{negatives.probabilities}, at::kFloat) *
            static_cast<double>(negatives.items.size());
        logits = logits - expected.log();
    }
    const auto is_target = targets.unsqueeze(1).eq(drawn.unsqueeze(0));
    logits = logits.masked_fill(is_target, -std::numeric_limits<float>::infinity());
    const auto all = at::cat({own_logits(states, table, targets).unsqueeze(1), logits}, 1);
    return at::cross_entropy_loss(all, at::zeros({targets.size(0)}, at::kLong));
}

at::Tensor bce_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives
) {
    const auto positive = own_logits(states, table, targets);
    const auto negative = own_logits(states, table, index_of(negatives.items));
    return (at::softplus(-positive) + at::softplus(negative)).mean() / 2;
}

}  // namespace hg::train
