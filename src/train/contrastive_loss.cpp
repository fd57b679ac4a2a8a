// SPDX-License-Identifier: Apache-2.0
#include "train/contrastive_loss.hpp"

#include "core/error.hpp"

#include <torch/types.h>

#include <limits>

namespace hg::train {
namespace {

at::Tensor of_length_one(const at::Tensor& rows) {
    constexpr double smallest = 1e-12;
    return rows / rows.norm(2, 1, true).clamp_min(smallest);
}

}  // namespace

at::Tensor pair_logits(
    const at::Tensor& anchors,
    const at::Tensor& partners,
    const PairsInBatch& pairs,
    double temperature
) {
    const auto n = pairs.anchors.size();
    HG_CHECK(n == pairs.partners.size(), "every anchor has its partner");
    auto left_out = at::zeros(
        {static_cast<std::int64_t>(n), static_cast<std::int64_t>(n)},
        at::TensorOptions{}.dtype(at::kBool)
    );
    auto* const flags = left_out.data_ptr<bool>();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            flags[i * n + j] = i != j && (pairs.anchors[i] == pairs.anchors[j] ||
                                          pairs.partners[i] == pairs.partners[j] ||
                                          pairs.anchors[i] == pairs.partners[j]);
        }
    }
    const auto likeness = of_length_one(anchors).matmul(of_length_one(partners).t()) / temperature;
    return likeness.masked_fill(
        left_out.to(likeness.device()), -std::numeric_limits<double>::infinity()
    );
}

at::Tensor contrastive_loss(const at::Tensor& logits) {
    const auto own = at::arange(logits.size(0), logits.options().dtype(at::kLong));
    return (at::cross_entropy_loss(logits, own) + at::cross_entropy_loss(logits.t(), own)) / 2;
}

}  // namespace hg::train
