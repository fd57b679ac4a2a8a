// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/member.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::simulate {
namespace {

SmallNet load_net(
    const SafetensorsFile& file,
    const std::string& name,
    std::size_t in,
    std::size_t hidden,
    std::size_t out
) {
    return {
        .skip = load_dense(file, name + ".skip", in, out),
        .hidden = load_dense(file, name + ".hidden", in, hidden),
        .out = load_dense(file, name + ".out", hidden, out),
    };
}

float sigmoid(float x) {
    return 1.0F / (1.0F + std::exp(-x));
}

/// a . b / sqrt(n) + the biases of both, of the part of two towers that begins at `first`.
float affinity(
    std::span<const float> a, std::span<const float> b, std::size_t first, std::size_t n
) {
    float dot = 0;
    for (std::size_t i = first; i < first + n; ++i) {
        dot += a[i] * b[i];
    }
    return dot / std::sqrt(static_cast<float>(n)) + a[first + n] + b[first + n];
}

}  // namespace

DenseLayer load_dense(
    const SafetensorsFile& file, const std::string& name, std::size_t in, std::size_t out
) {
    const auto weight = value_or_throw(file.matrix<float>(name + ".weight"));
    const auto bias = value_or_throw(file.values<float>(name + ".bias"));
    if (weight.rows() != out || weight.cols() != in || bias.size() != out) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format(
                "{}: {} x {} numbers, expected {} x {}", name, weight.rows(), weight.cols(), out, in
            ),
            "fit the world again",
        };
    }
    DenseLayer layer{.weight = Matrix<float>(in, out), .bias = {bias.begin(), bias.end()}};
    for (std::size_t o = 0; o < out; ++o) {
        for (std::size_t i = 0; i < in; ++i) {
            layer.weight(i, o) = weight(o, i);
        }
    }
    return layer;
}

void DenseLayer::apply(std::span<const float> x, std::span<float> y) const {
    std::ranges::copy(bias, y.begin());
    float* const out = y.data();
    const auto n_out = bias.size();
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float xi = x[i];
        if (xi == 0) {
            continue;  // one-hot features and closed relus are most of the input
        }
        const float* const w = &weight(i, 0);
        for (std::size_t o = 0; o < n_out; ++o) {
            out[o] += xi * w[o];
        }
    }
}

void SmallNet::apply(std::span<const float> x, std::span<float> y, std::vector<float>& work) const {
    const auto n_hidden = hidden.bias.size();
    work.resize(std::max(work.size(), n_hidden + y.size()));
    const auto h = std::span{work}.first(n_hidden);
    const auto extra = std::span{work}.subspan(n_hidden, y.size());
    hidden.apply(x, h);
    for (float& v : h) {
        v = std::max(v, 0.0F);
    }
    skip.apply(x, y);
    out.apply(h, extra);
    for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] += extra[i];
    }
}

void GruLayer::step(std::span<const float> x, std::span<float> h, std::vector<float>& work) const {
    const auto n = h.size();
    work.resize(std::max(work.size(), 6 * n));
    const auto from_x = std::span{work}.first(3 * n);
    const auto from_h = std::span{work}.subspan(3 * n, 3 * n);
    input.apply(x, from_x);
    state.apply(h, from_h);
    for (std::size_t i = 0; i < n; ++i) {
        const float reset = sigmoid(from_x[i] + from_h[i]);
        const float update = sigmoid(from_x[n + i] + from_h[n + i]);
        const float fresh = std::tanh(from_x[2 * n + i] + reset * from_h[2 * n + i]);
        h[i] = (1 - update) * fresh + update * h[i];
    }
}

Member load_member(
    const SafetensorsFile& file, const std::string& prefix, const MemberShape& shape
) {
    Member member;
    member.family =
        file.contains(prefix + ".gru.input.weight") ? Family::sequence : Family::feature;
    const auto inputs = shape.user_input(member.family);
    member.user = load_net(file, prefix + ".user", inputs, shape.hidden, shape.tower_size());
    member.item =
        load_net(file, prefix + ".item", shape.item_size, shape.hidden, shape.tower_size());
    member.leave = load_dense(file, prefix + ".leave", shape.leave_input(member.family), 1);
    if (shape.has_dynamics) {
        member.change = load_net(
            file, prefix + ".change", shape.change_input(), shape.hidden, shape.change_size()
        );
    }
    if (member.family == Family::sequence) {
        member.gru.input =
            load_dense(file, prefix + ".gru.input", shape.token_size(), 3 * shape.gru);
        member.gru.state = load_dense(file, prefix + ".gru.state", shape.gru, 3 * shape.gru);
    }
    const auto position = value_or_throw(file.values<float>(prefix + ".position"));
    const auto staying = value_or_throw(file.values<float>(prefix + ".residuals_staying"));
    const auto leaving = value_or_throw(file.values<float>(prefix + ".residuals_leaving"));
    if (position.size() != shape.slate_size) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format(
                "{}.position: {} slots, expected {}", prefix, position.size(), shape.slate_size
            ),
            "fit the world again"
        };
    }
    member.position.assign(position.begin(), position.end());
    member.residuals_staying.assign(staying.begin(), staying.end());
    member.residuals_leaving.assign(leaving.begin(), leaving.end());
    return member;
}

Matrix<float> item_vectors(
    const Member& member, const MemberShape& shape, MatrixView<const float> scaled_items
) {
    Matrix<float> vectors(scaled_items.rows(), shape.tower_size());
    std::vector<float> work;
    for (std::size_t i = 0; i < scaled_items.rows(); ++i) {
        member.item.apply(scaled_items.row(i), vectors.row(i), work);
    }
    return vectors;
}

float click_logit(
    const Member& member,
    const MemberShape& shape,
    std::span<const float> a,
    std::span<const float> b,
    std::size_t position
) {
    return affinity(a, b, 0, shape.rank) + member.position[position];
}

float purchase_logit(const MemberShape& shape, std::span<const float> a, std::span<const float> b) {
    return affinity(a, b, shape.purchase_start(), MemberShape::purchase_rank);
}

float scaled_value(const MemberShape& shape, std::span<const float> a, std::span<const float> b) {
    return affinity(a, b, shape.value_start(), MemberShape::value_rank);
}

}  // namespace hg::simulate
