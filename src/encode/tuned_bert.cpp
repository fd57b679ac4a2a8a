// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "encode/tuned_bert_net.hpp"

#include <ATen/core/grad_mode.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace hg::encode {
namespace {

constexpr std::size_t tokens_at_once = 2048;

void copy_weights(const torch::nn::Module& from, torch::nn::Module& to) {
    const torch::NoGradGuard no_grad;
    const auto source = from.named_parameters();
    for (auto& parameter : to.named_parameters()) {
        parameter.value().copy_(source[parameter.key()]);
    }
}

}  // namespace

BertTail::BertTail(const BertConfig& of, const BertNet& pretrained, std::int64_t n_layers)
    : config(of) {
    auto from = pretrained;  // a handle: indexing a list of modules is not const, its use here is
    layers = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = config.layers - n_layers; i < config.layers; ++i) {
        BertLayer layer{config};
        copy_weights(*from->layers[static_cast<std::size_t>(i)], *layer);
        layers->push_back(layer);
    }
}

torch::Tensor BertTail::forward(const TokenStates& in) {
    const bool is_padded = in.real.min().item<float>() < 1;
    const auto bias = is_padded ? padding_bias(in.real, torch::kFloat32) : torch::Tensor{};
    auto x = in.hidden;
    for (const auto& layer : *layers) {
        x = layer->as<BertLayerImpl>()->forward(x, bias);
    }
    return pool_tokens(x, is_padded ? in.real : torch::Tensor{}, config);
}

torch::Tensor BertTrunk::Memory::find(const std::string& text) {
    if (const auto known = young_.find(text); known != young_.end()) {
        return known->second;
    }
    const auto known = old_.find(text);
    if (known == old_.end()) {
        return {};
    }
    const auto value = known->second;
    old_.erase(known);
    add(text, value);
    return value;
}

void BertTrunk::Memory::add(const std::string& text, const torch::Tensor& value) {
    if (2 * young_bytes_ > bytes_) {
        old_ = std::exchange(young_, {});
        young_bytes_ = 0;
    }
    young_bytes_ += value.nbytes() + text.size();
    young_.insert_or_assign(text, value);
}

BertTrunk::BertTrunk(LoadedBert bert, const BertTrunkOptions& options)
    : bert_(std::move(bert)),
      options_(options),
      vectors_(options.memory_bytes),
      states_(options.memory_bytes) {}

std::shared_ptr<BertTrunk> BertTrunk::load(const BertTrunkOptions& options) {
    auto bert = load_bert(options.folder, "fp32");
    if (options.tuned_layers > bert.config.layers) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} layers cannot be tuned: {} has {}",
                options.tuned_layers,
                options.folder.string(),
                bert.config.layers
            ),
            "tune fewer, or 0 to keep the model as it is"
        };
    }
    bert.tokenizer = bert.tokenizer.cut_to(options.max_tokens);
    return std::shared_ptr<BertTrunk>{new BertTrunk{std::move(bert), options}};
}

torch::Tensor BertTrunk::vectors(std::span<const std::string> texts) {
    return torch::stack(recall(texts, vectors_, [this](const torch::Tensor& ids) {
        return pool_tokens(bert_.net->forward(ids, {}), {}, bert_.config);
    }));
}

TokenStates BertTrunk::states(std::span<const std::string> texts) {
    const auto rows = recall(texts, states_, [this](const torch::Tensor& ids) {
        const auto last = bert_.config.layers - options_.tuned_layers;
        return bert_.net->run_layers(bert_.net->embed(ids), {}, 0, last);
    });
    std::int64_t longest = 0;
    for (const auto& row : rows) {
        longest = std::max(longest, row.size(0));
    }
    const auto n = static_cast<std::int64_t>(rows.size());
    TokenStates out{
        .hidden = torch::zeros({n, longest, dim()}), .real = torch::zeros({n, longest})
    };
    for (std::int64_t i = 0; i < n; ++i) {
        const auto& row = rows[static_cast<std::size_t>(i)];
        out.hidden[i].narrow(0, 0, row.size(0)).copy_(row);
        out.real[i].narrow(0, 0, row.size(0)).fill_(1);
    }
    return out;
}

std::shared_ptr<BertTail> BertTrunk::make_tail() const {
    return std::make_shared<BertTail>(bert_.config, bert_.net, options_.tuned_layers);
}

std::vector<torch::Tensor> BertTrunk::recall(
    std::span<const std::string> texts, Memory& memory, const Compute& compute
) {
    const torch::NoGradGuard no_grad;
    HG_CHECK(!texts.empty(), "there is a text");
    std::vector<torch::Tensor> found;
    std::map<std::size_t, std::map<std::string, std::vector<std::int32_t>>> missing;  // by length
    for (const auto& text : texts) {
        found.push_back(memory.find(text));
        if (!found.back().defined()) {
            auto ids = bert_.tokenizer.encode(text);
            missing[ids.size()].try_emplace(text, std::move(ids));
        }
    }
    std::unordered_map<std::string, torch::Tensor> made;
    for (const auto& [length, group] : missing) {
        const auto at_once = std::max<std::size_t>(1, tokens_at_once / length);
        for (auto next = group.begin(); next != group.end();) {
            std::vector<std::int64_t> ids;
            const auto first = next;
            for (std::size_t n = 0; n < at_once && next != group.end(); ++n, ++next) {
                ids.insert(ids.end(), next->second.begin(), next->second.end());
            }
            const auto time = static_cast<std::int64_t>(length);
            const auto rows = compute(torch::tensor(ids, torch::kInt64).view({-1, time}));
            std::int64_t row = 0;
            for (auto text = first; text != next; ++text) {
                // A clone: a row that is kept must not keep its whole batch.
                const auto value = rows[row++].clone();
                memory.add(text->first, value);
                made.emplace(text->first, value);
            }
        }
        n_computed_ += group.size();
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (!found[i].defined()) {
            found[i] = made.at(texts[i]);
        }
    }
    return found;
}

}  // namespace hg::encode
