// SPDX-License-Identifier: Apache-2.0
// text: title, kinds, year and description through a pretrained BERT-family model.
#include "encode/encoder_entry.hpp"
#include "encode/text_encoder.hpp"

namespace hg::encode {
namespace {

std::unique_ptr<ContentModel> fit_text(const EncodeContext& context, const Settings& settings) {
    return TextEncoder::open(context, settings.read<TextOptions>());
}

std::unique_ptr<ContentModel> load_text(const std::filesystem::path& folder) {
    return TextEncoder::load(folder);
}

}  // namespace

extern const EncoderEntry text{
    .name = "text",
    .summary = "title, genres and description through a pretrained BERT (all-MiniLM-L6-v2)",
    .options = &describe_options<TextOptions>,
    .fit = &fit_text,
    .load = &load_text,
};

}  // namespace hg::encode
