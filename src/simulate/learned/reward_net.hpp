// SPDX-License-Identifier: Apache-2.0
// RewardRnn and RewardVae: LearnedReward with gradients. Private to this room.
#pragma once

#include "simulate/learned/member_net.hpp"

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

namespace hg::simulate {

struct RewardRnn : torch::nn::Module {
    RewardRnn(std::size_t in, std::size_t n)
        : gru(register_module("gru", std::make_shared<GruModule>(in, n))),
          head(register_module("head", SmallNetModule::linear(n, 1))) {}

    /// rows [batch, time, in] -> [batch, time]
    [[nodiscard]] at::Tensor forward(const at::Tensor& rows) {
        return head->forward(gru->states_after(rows)).squeeze(2);
    }

    std::shared_ptr<GruModule> gru;
    torch::nn::Linear head;
};

struct RewardVae : torch::nn::Module {
    RewardVae(std::size_t in, std::size_t n_hidden, std::size_t n_code)
        : encoder(register_module("encoder", SmallNetModule::linear(in, n_hidden))),
          code(register_module("code", SmallNetModule::linear(n_hidden, n_code))),
          log_variance(register_module("log_variance", SmallNetModule::linear(n_hidden, n_code))),
          decoder(register_module("decoder", SmallNetModule::linear(n_code, n_hidden))),
          back(register_module("back", SmallNetModule::linear(n_hidden, in))),
          head(register_module("head", SmallNetModule::linear(n_code, 1))) {}

    torch::nn::Linear encoder;
    torch::nn::Linear code;
    torch::nn::Linear log_variance;
    torch::nn::Linear decoder;
    torch::nn::Linear back;
    torch::nn::Linear head;
};

}  // namespace hg::simulate
