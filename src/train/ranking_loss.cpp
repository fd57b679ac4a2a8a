// SPDX-License-Identifier: Apache-2.0
#include "train/ranking_loss.hpp"

#include "core/error.hpp"
#include "encode/tensor_io.hpp"

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

namespace hg::train {
namespace {

/// Of every state with every vector; float32 also where the products are short.
at::Tensor products(const at::Tensor& states, const at::Tensor& vectors) {
    const auto made = states.matmul(vectors.transpose(-1, -2));
    return made.scalar_type() == at::kBFloat16 ? made.to(at::kFloat) : made;
}

/// Row by row inner product, [M].
at::Tensor own_logits(const at::Tensor& states, const at::Tensor& table, const at::Tensor& items) {
    return (states * at::embedding(table, items)).sum(1);
}

/// So many states that their logits stay in the processor's cache, or take little of an
/// accelerator's memory.
std::int64_t rows_at_once(const at::Tensor& states, const at::Tensor& table) {
    const std::int64_t cache = states.is_cpu() ? 4 << 20 : 512 << 20;  // bytes
    constexpr std::int64_t least = 32;  // each block goes over the whole gradient of the table
    const auto n = std::max<std::int64_t>(1, states.size(0));
    const auto row = table.size(0) * static_cast<std::int64_t>(table.element_size());
    return std::clamp<std::int64_t>(cache / row, std::min(least, n), n);
}

/// Loss and gradient in one go over a few states at a time: their logits never leave the processor's
/// cache, where those of all states would be written and read five times. Differentiable once.
class FullSoftmax : public torch::autograd::Function<FullSoftmax> {
  public:
    static at::Tensor forward(
        torch::autograd::AutogradContext* context,
        const at::Tensor& states,
        const at::Tensor& table,
        const at::Tensor& targets
    ) {
        const bool is_short = at::autocast::is_autocast_enabled(states.device().type());
        const auto kind = is_short ? at::kBFloat16 : table.scalar_type();
        const auto vectors = table.to(kind);
        auto by_states = at::empty_like(states);
        auto by_table = at::zeros_like(table);
        auto sum = at::zeros({}, states.options().dtype(at::kDouble));
        const auto n = states.size(0);
        const auto step = rows_at_once(states, table);
        for (std::int64_t first = 0; first < n; first += step) {
            const auto count = std::min(step, n - first);
            const auto own = states.narrow(0, first, count).to(kind);
            const auto wanted = targets.narrow(0, first, count).unsqueeze(1);
            auto share = at::log_softmax(own.matmul(vectors.t()).to(table.scalar_type()), 1);
            sum.sub_(share.gather(1, wanted).sum());
            share.exp_();
            share.scatter_add_(1, wanted, at::full_like(wanted, -1, share.options()));
            share = share.to(kind);
            by_states.narrow(0, first, count).copy_(share.matmul(vectors));
            if (is_short) {
                by_table.add_(share.t().matmul(own));
            } else {
                by_table.addmm_(share.t(), own);
            }
        }
        context->save_for_backward({by_states, by_table});
        return sum.div_(static_cast<double>(n)).to(table.scalar_type());
    }

    static torch::autograd::variable_list backward(
        torch::autograd::AutogradContext* context, const torch::autograd::variable_list& outer
    ) {
        const auto saved = context->get_saved_variables();
        const auto scale = outer[0] / static_cast<double>(saved[0].size(0));
        return {saved[0] * scale, saved[1] * scale, at::Tensor{}};
    }
};

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
    return FullSoftmax::apply(states, table, targets);
}

at::Tensor sampled_softmax_loss(
    const at::Tensor& states,
    const at::Tensor& table,
    const at::Tensor& targets,
    const Negatives& negatives,
    bool correct_log_q
) {
    const auto drawn = encode::index_tensor(negatives.items).to(table.device());
    auto logits = products(states, at::embedding(table, drawn));  // [M, K]
    if (correct_log_q) {
        const auto expected =
            torch::tensor(at::ArrayRef<float>{negatives.probabilities}, at::kFloat)
                .to(table.device()) *
            static_cast<double>(negatives.items.size());
        logits = logits - expected.log();
    }
    const auto is_target = targets.unsqueeze(1).eq(drawn.unsqueeze(0));
    logits = logits.masked_fill(is_target, -std::numeric_limits<float>::infinity());
    const auto all = at::cat({own_logits(states, table, targets).unsqueeze(1), logits}, 1);
    return at::cross_entropy_loss(all, at::zeros_like(targets));
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
    const auto drawn =
        encode::index_tensor(negatives.items).to(table.device()).view({n_groups, -1});  // [G, K]
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
    const auto negative =
        own_logits(states, table, encode::index_tensor(negatives.items).to(table.device()));
    return (at::softplus(-positive) + at::softplus(negative)).mean() / 2;
}

}  // namespace hg::train
