// SPDX-License-Identifier: Apache-2.0
#include "encode/bert.hpp"

#include "core/error.hpp"
#include "core/rng.hpp"
#include "encode/bert_config.hpp"
#include "encode/bert_net.hpp"
#include "encode/device_net.hpp"

#include <c10/core/InferenceMode.h>
#include <torch/types.h>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace hg::encode {
namespace {

using Tokens = std::vector<std::int32_t>;

/// Texts tokenised, sorted and cut into batches at a time: bounds memory, keeps padding small.
constexpr std::size_t chunk_texts = 8192;

struct Batch {
    std::size_t first = 0;
    std::size_t count = 0;
};

/// Cuts texts sorted by length so that a batch, padded to its longest, has about `budget` tokens.
std::vector<Batch> cut(
    std::span<const std::size_t> order, std::span<const Tokens> tokens, std::size_t budget
) {
    std::vector<Batch> batches;
    Batch open;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto padded = (open.count + 1) * tokens[order[i]].size();
        if (open.count > 0 && padded > budget) {
            batches.push_back(open);
            open = {.first = i, .count = 0};
        }
        ++open.count;
    }
    if (open.count > 0) {
        batches.push_back(open);
    }
    return batches;
}

}  // namespace

struct BertEncoder::Impl {
    BertOptions options;
    BertConfig config;
    WordPiece tokenizer;
    BertNet net;
    torch::Device device;
    std::string hash;

    /// [batch, hidden] float32 on the host.
    [[nodiscard]] torch::Tensor vectors(std::span<const std::span<const std::int32_t>> batch) const;
};

torch::Tensor BertEncoder::Impl::vectors(std::span<const std::span<const std::int32_t>> batch
) const {
    const auto in = pad_tokens(batch, tokenizer.pad_id(), device);
    const auto dtype = options.precision == Precision::bf16 ? torch::kBFloat16 : torch::kFloat32;
    const auto bias = in.real.defined() ? padding_bias(in.real, dtype) : torch::Tensor{};
    auto network = net;  // a handle: forward() of a module is not const, its use here is
    const auto hidden = network->forward(in.ids, bias).to(torch::kFloat32);
    const auto pooled = pool_tokens(hidden, in.real, config);  // of [batch, time, hidden]
    return pooled.to(torch::kCPU).contiguous();
}

BertEncoder::BertEncoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

BertEncoder::~BertEncoder() = default;

std::unique_ptr<BertEncoder> BertEncoder::load(const BertOptions& options) {
    auto loaded = load_bert(options.folder, options.precision == Precision::bf16 ? "bf16" : "fp32");
    const auto device = find_device(options.device);
    loaded.net->to(
        device, options.precision == Precision::bf16 ? torch::kBFloat16 : torch::kFloat32
    );
    return std::unique_ptr<BertEncoder>{new BertEncoder{std::make_unique<Impl>(Impl{
        .options = options,
        .config = loaded.config,
        .tokenizer = std::move(loaded.tokenizer),
        .net = std::move(loaded.net),
        .device = device,
        .hash = std::move(loaded.hash),
    })}};
}

void BertEncoder::encode(
    std::span<const std::string> texts, const OnVector& done, const std::stop_token& stop
) const {
    const c10::InferenceMode inference;
    constexpr std::uint64_t seed = 1;  // of the order of work only: vectors do not depend on it
    Rng rng{seed};
    for (std::size_t chunk = 0; chunk < texts.size(); chunk += chunk_texts) {
        const auto part = texts.subspan(chunk, std::min(chunk_texts, texts.size() - chunk));
        std::vector<Tokens> tokens;
        tokens.reserve(part.size());
        for (const auto& text : part) {
            tokens.push_back(impl_->tokenizer.encode(text));
        }
        std::vector<std::size_t> order(part.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t i) { return tokens[i].size(); });
        auto batches = cut(order, tokens, impl_->options.batch_tokens);
        rng.shuffle(std::span{batches});
        for (const auto& batch : batches) {
            if (stop.stop_requested()) {
                return;
            }
            std::vector<std::span<const std::int32_t>> rows;
            for (std::size_t i = 0; i < batch.count; ++i) {
                rows.emplace_back(tokens[order[batch.first + i]]);
            }
            const auto vectors = impl_->vectors(rows);
            const std::span<const float> flat{vectors.data_ptr<float>(), batch.count * dim()};
            for (std::size_t i = 0; i < batch.count; ++i) {
                done(chunk + order[batch.first + i], flat.subspan(i * dim(), dim()));
            }
        }
    }
}

std::size_t BertEncoder::dim() const noexcept {
    return static_cast<std::size_t>(impl_->config.hidden);
}

const WordPiece& BertEncoder::tokenizer() const noexcept {
    return impl_->tokenizer;
}

const std::string& BertEncoder::hash() const noexcept {
    return impl_->hash;
}

}  // namespace hg::encode
