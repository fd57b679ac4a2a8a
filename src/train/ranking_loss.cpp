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

/// Of every state with every vector; float32 also where the products are short.
at::Tensor products(const at::Tensor& states, const at::Tensor& vectors) {
    const auto made = states.matmul(vectors.transpose(-1, -2));
    return made.scalar_type() == at::kBFloat16 ? made.to(at::kFloat) : made;
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
    return at::cross_entropy_loss(products(states, table), targets);
}

at::Tensor sampled_softmax_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives,
    bool correct_log_q
) {
    const auto drawn = index_of(negatives.items);
    auto logits = products(states, at::embedding(table, drawn));  // [M, K]
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

at::Tensor gbce_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives,
    double calibration
) {
    const auto n_tokens = targets.size(0);
    const auto n_groups = (n_tokens + gbce_group - 1) / gbce_group;
    const auto drawn = index_of(negatives.items).view({n_groups, -1});  // [G, K]
    const auto n_drawn = static_cast<double>(drawn.size(1));
    const auto n_others = std::max(1.0, static_cast<double>(table.size(0)) - 1);
    const auto rate = std::min(1.0, n_drawn / n_others);
    const auto beta = rate * (calibration * (1 - 1 / rate) + 1 / rate);
    const auto missing = n_groups * gbce_group - n_tokens;
    const auto grouped = at::constant_pad_nd(states, {0, 0, 0, missing})
                             .view({n_groups, gbce_group, states.size(1)});
    const auto wanted =
        at::constant_pad_nd(targets, {0, missing}, -1).view({n_groups, gbce_group, 1});
    const auto logits = products(grouped, at::embedding(table, drawn));  // [G, group, K]
    const auto negative = at::softplus(logits)
                              .masked_fill(wanted.eq(drawn.unsqueeze(1)), 0)
                              .sum(2)
                              .flatten()
                              .slice(0, 0, n_tokens);
    const auto positive = at::softplus(-own_logits(states, table, targets));  // [M]
    return (beta * positive + negative).mean() / (n_drawn + 1);
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
