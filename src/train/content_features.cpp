// SPDX-License-Identifier: Apache-2.0
#include "train/content_features.hpp"

#include "core/error.hpp"
#include "core/nearest.hpp"
#include "encode/tensor_io.hpp"
#include "train/adam.hpp"

#include <torch/nn/functional/loss.h>
#include <torch/nn/functional/normalization.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace hg::train {
namespace {

namespace F = torch::nn::functional;

constexpr std::int64_t n_hidden = 128;
constexpr std::int64_t batch_size = 256;
constexpr std::int64_t n_epochs = 60;
constexpr double temperature = 0.1;
constexpr double smallest = 1e-12;

double root_mean_square(const at::Tensor& values) {
    return std::sqrt(values.pow(2).mean().item<double>() + smallest);
}

at::Tensor loss_of(
    const at::Tensor& guess, const at::Tensor& truth, const at::Tensor& weight, ContentMapKind kind
) {
    if (kind == ContentMapKind::mlp) {
        return ((guess - truth).pow(2).mean(1) * weight).sum() / weight.sum();
    }
    const auto normal = F::NormalizeFuncOptions().dim(1);
    const auto logits = F::normalize(guess, normal).matmul(F::normalize(truth, normal).t());
    const auto own = at::arange(truth.size(0), at::kLong);
    const auto each = F::cross_entropy(
        logits / temperature, own, F::CrossEntropyFuncOptions().reduction(torch::kNone)
    );
    return (each * weight).sum() / weight.sum();
}

}  // namespace

ContentMapKind parse_content_map(std::string_view name) {
    constexpr std::array<std::string_view, 3> names{"ridge", "mlp", "contrastive"};  // as the enum
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("content_map = {}: no such map", name),
            suggest(name, names),
        };
    }
    return static_cast<ContentMapKind>(found - names.begin());
}

std::vector<float> ContentFeatures::of(std::span<const float> content) const {
    HG_CHECK(content.size() == weights.rows(), "content of another width than at training");
    std::vector<float> features{content.begin(), content.end()};
    std::vector<float> hidden = offset;
    for (std::size_t r = 0; r < content.size(); ++r) {
        const auto row = weights.row(r);
        for (std::size_t h = 0; h < hidden.size(); ++h) {
            hidden[h] += content[r] * row[h];
        }
    }
    for (const float h : hidden) {
        features.push_back(scale * std::tanh(h));
    }
    return features;
}

ContentFeatures learn_content_features(
    const ContentExamples& examples, ContentMapKind kind, Rng rng
) {
    if (kind == ContentMapKind::ridge) {
        return {};
    }
    at::manual_seed(rng());
    const auto all = encode::to_tensor(examples.content);
    const auto scale =
        1 / root_mean_square(all);  // content is of unit length: its numbers are small
    const auto content = all * scale;
    const auto truth = encode::to_tensor(examples.vectors);
    const auto vectors = truth / root_mean_square(truth);
    const auto weights =
        encode::to_tensor({examples.weights.data(), examples.weights.size(), 1}).squeeze(1);
    torch::nn::Linear hidden{content.size(1), n_hidden};
    torch::nn::Linear out{content.size(1) + n_hidden, vectors.size(1)};
    Adam adam{
        {{"hidden.weight", hidden->weight},
         {"hidden.bias", hidden->bias},
         {"out.weight", out->weight},
         {"out.bias", out->bias}},
        {.learning_rate = 2e-3, .weight_decay = 0.05}
    };
    const auto n = content.size(0);
    const auto n_batches = std::max<std::int64_t>(1, n / batch_size);
    std::int64_t step = 0;
    for (std::int64_t epoch = 0; epoch < n_epochs; ++epoch) {
        adam.set_rate_share(1 - 0.95 * static_cast<double>(epoch) / n_epochs);
        for (const auto& rows : at::randperm(n, at::kLong).chunk(n_batches)) {
            const auto c = content.index_select(0, rows);
            const auto guess = out->forward(at::cat({c, hidden->forward(c).tanh()}, 1));
            const auto loss =
                loss_of(guess, vectors.index_select(0, rows), weights.index_select(0, rows), kind);
            adam.descend(loss, ++step);
        }
    }
    ContentFeatures features;
    const at::NoGradGuard no_grad;
    features.weights = Matrix<float>(examples.content.cols(), n_hidden);
    encode::to_matrix((hidden->weight * scale).t().contiguous(), features.weights.view());
    const auto bias = hidden->bias.contiguous();
    // As large as the content's own numbers: one penalty is fair to both then.
    const auto spread = [](const at::Tensor& values) {
        return values.var(0, /*unbiased=*/false).mean().item<double>() + smallest;
    };
    const auto made = hidden->forward(content).tanh();
    features.scale = static_cast<float>(std::sqrt(spread(all) / spread(made)));
    features.offset.assign(
        bias.const_data_ptr<float>(), bias.const_data_ptr<float>() + bias.numel()
    );
    return features;
}

}  // namespace hg::train
