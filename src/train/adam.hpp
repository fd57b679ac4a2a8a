// SPDX-License-Identifier: Apache-2.0
// Adam: AdamW (Loshchilov and Hutter, 2019) on libtorch's fused kernel, with its moments in the
// open.
//
// Why not torch::optim::AdamW: its state is keyed by pointers and saved by pickle; ours are two
// named tensors per parameter and a step number, so a checkpoint is plain safetensors. One fused
// call is also several times faster on the small tensors we have. Decay applies to matrices only,
// as usual for transformers.
#pragma once

#include "core/tensor_fwd.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::train {

struct AdamOptions {
    double learning_rate = 1e-3;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0;
    double clip_norm = 0;           // 0 = off
    std::int64_t warmup_steps = 0;  // the rate rises linearly over these
};

class Adam {
  public:
    using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

    /// Keeps handles of the parameters.
    Adam(const NamedTensors& parameters, AdamOptions options);
    Adam(const Adam&) = delete;
    Adam& operator=(const Adam&) = delete;
    Adam(Adam&&) = delete;
    Adam& operator=(Adam&&) = delete;
    ~Adam();

    void zero_gradients();
    /// One update down the gradient of `loss`, a scalar with a graph, of these parameters alone.
    void descend(const at::Tensor& loss, std::int64_t step);
    /// One update; `step` counts from 1 and is all the state there is beside the moments.
    void step(std::int64_t step);

    /// Later steps take this share of the learning rate: for schedules the caller keeps.
    void set_rate_share(double share) noexcept { rate_share_ = share; }

    /// Handles of the state, by parameter name.
    [[nodiscard]] const NamedTensors& first_moments() const noexcept { return first_; }

    [[nodiscard]] const NamedTensors& second_moments() const noexcept { return second_; }

  private:
    void clip();

    AdamOptions options_;
    NamedTensors parameters_;
    NamedTensors first_;
    NamedTensors second_;
    double rate_share_ = 1;
};

/// Handles of a network's parameters; with a prefix those whose name begins so.
[[nodiscard]] Adam::NamedTensors named_of(
    const torch::nn::Module& module, std::string_view prefix = {}
);

}  // namespace hg::train
