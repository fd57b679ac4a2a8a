// SPDX-License-Identifier: Apache-2.0
// BertTrunk and BertTail: a pretrained BERT inside another network, its last layers free to learn.
//
// Most texts of a learner come again and again, so what does not learn is computed once per text
// and kept in a bounded memory: the vectors of the whole pretrained model or, where layers learn,
// the tokens as the last frozen layer leaves them. Texts of one length go through the network
// together, so nothing is padded and a vector does not depend on its neighbours. The trunk is
// shared by all networks of an agent; single-threaded. The tail is an ordinary module.
//
//   const auto trunk = BertTrunk::load({.folder = ".cache/models/all-MiniLM-L6-v2"});
//   const at::Tensor frozen = trunk->vectors(texts);                     // [n, dim]
//   const auto tail = trunk->make_tail();                                // tuned_layers > 0
//   const at::Tensor tuned = tail->forward(trunk->states(texts));        // with gradients
#pragma once

#include "encode/bert_net.hpp"

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace hg::encode {

struct BertTrunkOptions {
    std::filesystem::path folder;
    std::int64_t tuned_layers = 0;  // the last ones; 0 = all are frozen
    std::size_t max_tokens = 64;    // longer texts are cut
    std::size_t memory_bytes = std::size_t{256} << 20U;
};

struct TokenStates {
    torch::Tensor hidden;  // [batch, time, dim]
    torch::Tensor real;    // [batch, time] 1, or 0 where padded
};

/// The layers that learn, and the pooling.
struct BertTail : torch::nn::Module {
    BertTail(const BertConfig& config, const BertNet& pretrained, std::int64_t n_layers);

    /// [batch, dim]
    torch::Tensor forward(const TokenStates& in);

    BertConfig config;
    torch::nn::ModuleList layers{nullptr};
};

class BertTrunk {
  public:
    /// Throws Error: what is missing, damaged or not supported.
    [[nodiscard]] static std::shared_ptr<BertTrunk> load(const BertTrunkOptions& options);

    /// By the whole pretrained model: [n, dim].
    [[nodiscard]] torch::Tensor vectors(std::span<const std::string> texts);
    /// Below the layers that learn.
    [[nodiscard]] TokenStates states(std::span<const std::string> texts);
    /// A copy of the last pretrained layers.
    [[nodiscard]] std::shared_ptr<BertTail> make_tail() const;

    [[nodiscard]] std::int64_t dim() const noexcept { return bert_.config.hidden; }

    [[nodiscard]] std::int64_t tuned_layers() const noexcept { return options_.tuned_layers; }

    [[nodiscard]] const std::string& hash() const noexcept { return bert_.hash; }

    /// Texts that went through the network so far: what was remembered did not.
    [[nodiscard]] std::size_t n_computed() const noexcept { return n_computed_; }

  private:
    /// Tensors by text in two halves: a full young half becomes the old one, and what is asked for
    /// again moves over, so about the texts used last are kept.
    class Memory {
      public:
        explicit Memory(std::size_t bytes) : bytes_(bytes) {}

        /// Undefined when unknown.
        [[nodiscard]] torch::Tensor find(const std::string& text);
        void add(const std::string& text, const torch::Tensor& value);

      private:
        using Half = std::unordered_map<std::string, torch::Tensor>;
        std::size_t bytes_;
        std::size_t young_bytes_ = 0;
        Half young_;
        Half old_;
    };

    /// What the network makes of texts of one length: ids [n, time] -> a row per text.
    using Compute = std::function<torch::Tensor(const torch::Tensor& ids)>;

    BertTrunk(LoadedBert bert, const BertTrunkOptions& options);
    [[nodiscard]] std::vector<torch::Tensor> recall(
        std::span<const std::string> texts, Memory& memory, const Compute& compute
    );

    LoadedBert bert_;
    BertTrunkOptions options_;
    Memory vectors_;
    Memory states_;
    std::size_t n_computed_ = 0;
};

}  // namespace hg::encode
