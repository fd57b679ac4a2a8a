// SPDX-License-Identifier: Apache-2.0
// TextEncoder: items -> vectors through their text and a pretrained BERT-family model.
//
// What is said of an item is render_text.hpp's rule; vectors are cached by content, so a catalogue
// with one new item costs one encoding, and Ctrl-C loses at most a few seconds of work. Const-safe
// but for the cache folder, which wants one process at a time.
//
//   const auto encoder = TextEncoder::open(context, settings.read<TextOptions>());
#pragma once

#include "core/options.hpp"
#include "encode/bert.hpp"
#include "encode/content_model.hpp"
#include "encode/encoder_entry.hpp"
#include "encode/render_text.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace hg::encode {

struct TextOptions {
    std::string model = ".cache/models/all-MiniLM-L6-v2";
    std::string dtype = "fp32";
    std::string device = "cpu";
    std::int64_t batch_tokens = 512;
    std::vector<std::string> fields;

    static void describe(OptionBinder& bind, TextOptions& o);
    [[nodiscard]] BertOptions bert() const;
};

class TextEncoder final : public ContentModel {
  public:
    [[nodiscard]] static std::unique_ptr<TextEncoder> open(
        const EncodeContext& context, const TextOptions& options
    );
    /// Throws Error when the model folder is gone or holds another model than the one that was
    /// saved.
    [[nodiscard]] static std::unique_ptr<TextEncoder> load(const std::filesystem::path& folder);

    [[nodiscard]] ItemVectors represent(
        const data::Catalogue& items, ProgressSink& progress, std::stop_token stop
    ) const override;

    [[nodiscard]] std::size_t dim() const override { return bert_->dim(); }

    void save(const std::filesystem::path& folder) const override;

  private:
    TextEncoder(TextOptions options, TextRule rule, std::filesystem::path cache);

    TextOptions options_;
    TextRule rule_;
    std::filesystem::path cache_;
    std::unique_ptr<BertEncoder> bert_;
};

}  // namespace hg::encode
