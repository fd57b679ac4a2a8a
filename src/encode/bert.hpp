// SPDX-License-Identifier: Apache-2.0
// BertEncoder: texts -> vectors by a pretrained BERT-family model from a folder of the Hugging Face
// layout.
//
// Same vectors as sentence-transformers: WordPiece, BertNet, mean or CLS pooling, length 1 where
// modules.json says so. Texts are sorted by length and cut into batches of about `batch_tokens`, so
// little padding is computed; batches come in shuffled order, so that the rate is steady and the
// time left can be believed. Const-safe; threads are torch's, set in app/.
//
//   const auto encoder = BertEncoder::load({.folder = ".cache/models/all-MiniLM-L6-v2"});
//   encoder->encode(texts, [&](std::size_t i, std::span<const float> v) { ... }, stop);
#pragma once

#include "encode/wordpiece.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace hg::encode {

enum class Precision : std::uint8_t { fp32, bf16 };

struct BertOptions {
    std::filesystem::path folder;
    Precision precision = Precision::fp32;
    std::string device = "cpu";
    std::size_t batch_tokens = 512;
};

class BertEncoder {
  public:
    using OnVector = std::function<void(std::size_t text, std::span<const float> vector)>;

    /// Throws Error: what is missing, damaged or not supported.
    [[nodiscard]] static std::unique_ptr<BertEncoder> load(const BertOptions& options);
    BertEncoder(const BertEncoder&) = delete;
    BertEncoder& operator=(const BertEncoder&) = delete;
    BertEncoder(BertEncoder&&) = delete;
    BertEncoder& operator=(BertEncoder&&) = delete;
    ~BertEncoder();

    /// Calls `done` once for every text, in any order, on this thread. Returns early, some texts
    /// not done, when a stop is requested.
    void encode(
        std::span<const std::string> texts, const OnVector& done, const std::stop_token& stop
    ) const;

    [[nodiscard]] std::size_t dim() const noexcept;
    [[nodiscard]] const WordPiece& tokenizer() const noexcept;
    /// Names the weights, vocabulary and settings that decide the vectors: the key of cached ones.
    [[nodiscard]] const std::string& hash() const noexcept;

  private:
    struct Impl;
    explicit BertEncoder(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace hg::encode
