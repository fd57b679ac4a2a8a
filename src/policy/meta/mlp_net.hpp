// SPDX-License-Identifier: Apache-2.0
// Mlp: a network as a function of its weights, so that every task of a batch can have its own and
// gradients flow through what made them. Private to this room.
//
//   h = tanh(W_l ... tanh(W_1 x + b_1) ... + b_l),   f(x) = w . (h / sqrt|h|, x / sqrt|x|) + b
//
// The last layer (w, b) is the preference head; it sees the inputs beside the features, so that a
// user who is linear in what is known of items is in reach from the first step. The features have
// length about 1, so that one inner rate suits the head's weights and its bias.
#pragma once

#include "core/rng.hpp"
#include "train/adam.hpp"

#include <torch/types.h>

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hg::policy {

/// W_1, b_1, ..., w, b: each [out, in] or [out], or one per task with B in front.
using Weights = std::vector<at::Tensor>;

constexpr std::size_t head_size = 2;  // of the last entries of Weights

struct MlpShape {
    std::int64_t inputs = 0;
    std::int64_t hidden = 32;
    std::int64_t layers = 2;  // hidden ones; 0 = linear
    std::int64_t outputs = 1;
    double head_scale = 0;  // of the first head; 0 = a fresh network answers 0

    [[nodiscard]] std::int64_t n_features() const noexcept {
        return layers == 0 ? inputs : hidden + inputs;
    }
};

/// [out, in], normal of standard deviation scale / sqrt(in).
[[nodiscard]] inline at::Tensor random_matrix(
    std::int64_t out, std::int64_t in, double scale, Rng& rng
) {
    auto w = at::empty({out, in});
    const double deviation = scale / std::sqrt(static_cast<double>(in));
    const std::span values{w.mutable_data_ptr<float>(), static_cast<std::size_t>(w.numel())};
    for (auto& value : values) {
        value = static_cast<float>(deviation * rng.normal());
    }
    return w;
}

[[nodiscard]] inline Weights make_mlp(const MlpShape& shape, Rng rng) {
    Weights weights;
    auto width = shape.inputs;
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
        weights.push_back(random_matrix(shape.hidden, width, 1, rng));
        weights.push_back(at::zeros({shape.hidden}));
        width = shape.hidden;
    }
    weights.push_back(random_matrix(shape.outputs, shape.n_features(), shape.head_scale, rng));
    weights.push_back(at::zeros({shape.outputs}));
    for (auto& w : weights) {
        w.requires_grad_();
    }
    return weights;
}

/// x [B, n, in] times one layer.
[[nodiscard]] inline at::Tensor affine(
    const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias
) {
    return at::matmul(x, weight.transpose(-1, -2)) + bias.unsqueeze(-2);
}

/// (h / sqrt|h|, x / sqrt|x|): what a head sees, [B, n, hidden + in].
[[nodiscard]] inline at::Tensor join(const at::Tensor& h, const at::Tensor& x) {
    const auto root = [](const at::Tensor& t) {
        return std::sqrt(static_cast<double>(t.size(-1)));
    };
    return at::cat({h / root(h), x / root(x)}, -1);
}

/// What the head sees.
[[nodiscard]] inline at::Tensor features(const Weights& weights, const at::Tensor& x) {
    if (weights.size() == head_size) {
        return x / std::sqrt(static_cast<double>(x.size(-1)));
    }
    auto h = x;
    for (std::size_t i = 0; i + head_size < weights.size(); i += 2) {
        h = affine(h, weights[i], weights[i + 1]).tanh();
    }
    return join(h, x);
}

/// [B, n, outputs].
[[nodiscard]] inline at::Tensor head(const Weights& weights, const at::Tensor& features) {
    return affine(features, weights[weights.size() - 2], weights.back());
}

/// f(x), [B, n, outputs].
[[nodiscard]] inline at::Tensor forward(const Weights& weights, const at::Tensor& x) {
    return head(weights, features(weights, x));
}

[[nodiscard]] inline train::Adam::NamedTensors named(
    const std::string& prefix, const Weights& weights
) {
    train::Adam::NamedTensors all;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        all.emplace_back(fmt::format("{}.{}", prefix, i), weights[i]);
    }
    return all;
}

}  // namespace hg::policy
