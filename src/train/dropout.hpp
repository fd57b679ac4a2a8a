// SPDX-License-Identifier: Apache-2.0
// Dropout: zeroes a share of a tensor's elements in training and scales up the others.
//
// Srivastava et al., "Dropout" (2014). The mask is a hash of (seed, position), so it is the same
// for any number of threads; at::dropout draws its own from one serial generator, which took a
// seventh of the training time of a small transformer. On an accelerator its own generator draws,
// seeded anew at each call, so that a resumed training draws the same.
//
//   const Dropout drop{0.3, rng};      // each call draws a new mask
//   x = x + drop(layer(x));            // Dropout{} changes nothing
#pragma once

#include "core/rng.hpp"
#include "core/tensor_fwd.hpp"

namespace hg::train {

class Dropout {
  public:
    /// Drops nothing: scoring.
    Dropout() = default;

    /// share in [0, 1); the generator outlives this.
    Dropout(double share, Rng& rng) noexcept : share_(share), rng_(&rng) {}

    /// x: any shape -> float32; differentiable.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;

  private:
    double share_ = 0;
    Rng* rng_ = nullptr;
};

}  // namespace hg::train
