// SPDX-License-Identifier: Apache-2.0
// MemberNet: a Member (member.hpp) with gradients. Private to this room.
#pragma once

#include "simulate/learned/member.hpp"

#include <torch/nn/init.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>

namespace hg::simulate {

struct SmallNetModule : torch::nn::Module {
    SmallNetModule(std::size_t in, std::size_t n_hidden, std::size_t n_out)
        : skip(register_module("skip", linear(in, n_out))),
          hidden(register_module("hidden", linear(in, n_hidden))),
          out(register_module("out", linear(n_hidden, n_out))) {}

    static torch::nn::Linear linear(std::size_t in, std::size_t out) {
        return torch::nn::Linear(static_cast<std::int64_t>(in), static_cast<std::int64_t>(out));
    }

    [[nodiscard]] at::Tensor forward(const at::Tensor& x) {
        return skip->forward(x) + out->forward(hidden->forward(x).relu());
    }

    torch::nn::Linear skip;
    torch::nn::Linear hidden;
    torch::nn::Linear out;
};

struct GruModule : torch::nn::Module {
    GruModule(std::size_t in, std::size_t n)
        : input(register_module("input", SmallNetModule::linear(in, 3 * n))),
          state(register_module("state", SmallNetModule::linear(n, 3 * n))),
          size(static_cast<std::int64_t>(n)) {}

    /// tokens [batch, time, in] -> the state after each of them, [batch, time, size].
    [[nodiscard]] at::Tensor states_after(const at::Tensor& tokens) {
        const auto batch = tokens.size(0);
        const auto start = at::zeros({1, batch, size});
        return std::get<0>(at::gru(
            tokens,
            start,
            {input->weight, state->weight, input->bias, state->bias},
            /*has_biases=*/true,
            /*num_layers=*/1,
            /*dropout=*/0.0,
            /*train=*/true,
            /*bidirectional=*/false,
            /*batch_first=*/true
        ));
    }

    /// The state before each of them.
    [[nodiscard]] at::Tensor states_before(const at::Tensor& tokens) {
        const auto steps = states_after(tokens);
        const auto start = at::zeros({tokens.size(0), 1, size});
        return at::cat({start, steps.narrow(1, 0, tokens.size(1) - 1)}, 1);
    }

    torch::nn::Linear input;
    torch::nn::Linear state;
    std::int64_t size;
};

struct MemberNet : torch::nn::Module {
    MemberNet(const MemberShape& s, Family f)
        : shape(s),
          family(f),
          user(register_module(
              "user", std::make_shared<SmallNetModule>(s.user_input(f), s.hidden, s.tower_size())
          )),
          item(register_module(
              "item", std::make_shared<SmallNetModule>(s.item_size, s.hidden, s.tower_size())
          )) {
        if (s.has_dynamics) {
            change = register_module(
                "change",
                std::make_shared<SmallNetModule>(s.change_input(), s.hidden, s.change_size())
            );
        }
        if (f == Family::sequence) {
            gru = register_module("gru", std::make_shared<GruModule>(s.token_size(), s.gru));
        }
        position =
            register_parameter("position", torch::zeros({static_cast<std::int64_t>(s.slate_size)}));
    }

    MemberShape shape;
    Family family;
    std::shared_ptr<SmallNetModule> user;
    std::shared_ptr<SmallNetModule> item;
    std::shared_ptr<SmallNetModule> change;
    std::shared_ptr<GruModule> gru;
    at::Tensor position;
};

}  // namespace hg::simulate
