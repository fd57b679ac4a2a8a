// SPDX-License-Identifier: Apache-2.0
// gaussian_product: N(0, I) times Gaussian factors, by adding their natural parameters. Private to
// this room.
//
//   N(0, 1) prod_n N(mu_n, 1 / p_n) ~ N(sum p_n mu_n / (1 + sum p_n), 1 / (1 + sum p_n))
#pragma once

#include <torch/types.h>

namespace hg::policy {

struct GaussianTensors {
    at::Tensor mean;      // [B, d]
    at::Tensor variance;  // [B, d]
};

/// `sums`: (sum p mu, sum p), [B, 2 d].
[[nodiscard]] inline GaussianTensors product_with_prior(const at::Tensor& sums) {
    const auto halves = sums.chunk(2, -1);
    const auto variance = 1 / (1 + halves[1]);
    return {.mean = halves[0] * variance, .variance = variance};
}

}  // namespace hg::policy
