// SPDX-License-Identifier: Apache-2.0
#include "train/dropout.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>

namespace hg::train {
namespace {

/// The finaliser of MurmurHash3: 32 well-mixed bits; the compiler makes vectors of it.
constexpr std::uint32_t mix(std::uint32_t x) noexcept {
    x ^= x >> 16U;
    x *= 0x85EBCA6BU;
    x ^= x >> 13U;
    x *= 0xC2B2AE35U;
    x ^= x >> 16U;
    return x;
}

}  // namespace

at::Tensor Dropout::operator()(const at::Tensor& x) const {
    if (share_ <= 0) {
        return x;
    }
    if (!x.is_cpu()) {
        auto generator = at::globalContext().defaultGenerator(x.device());
        generator.set_current_seed((*rng_)());
        const auto kept = at::empty_like(x, x.options().requires_grad(false).dtype(at::kFloat))
                              .bernoulli_(1 - share_, generator);
        return x * kept.div_(1 - share_);
    }
    const auto kind = x.options().requires_grad(false).dtype(at::kFloat);
    auto mask = at::empty_like(x, kind, at::MemoryFormat::Contiguous);
    const auto bits = (*rng_)();
    const auto seed = static_cast<std::uint32_t>(bits);
    const auto stride = static_cast<std::uint32_t>(bits >> 32U) | 1U;
    const auto threshold = static_cast<std::uint32_t>(std::ldexp(share_, 32));
    const auto kept = static_cast<float>(1 / (1 - share_));
    auto* out = mask.mutable_data_ptr<float>();
    constexpr std::int64_t grain = 1 << 15;
    at::parallel_for(0, mask.numel(), grain, [=](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            const auto hash = mix(seed + stride * static_cast<std::uint32_t>(i));
            out[i] = hash < threshold ? 0.0F : kept;
        }
    });
    return x * mask;
}

}  // namespace hg::train
