// SPDX-License-Identifier: Apache-2.0
// fields: words, categories and numbers of an item as one vector; no model folder needed.
#include "encode/fields.hpp"

#include "encode/encoder_entry.hpp"

namespace hg::encode {
namespace {

std::unique_ptr<ContentModel> fit_fields(const EncodeContext& context, const Settings& settings) {
    return FieldsEncoder::learn(context.items, settings.read<FieldsOptions>(), context.rng);
}

std::unique_ptr<ContentModel> load_fields(const std::filesystem::path& folder) {
    return FieldsEncoder::load(folder);
}

}  // namespace

extern const EncoderEntry fields{
    .name = "fields",
    .summary = "TF-IDF words, categories and numbers, PCA: seconds, no neural network",
    .options = &describe_options<FieldsOptions>,
    .fit = &fit_fields,
    .load = &load_fields,
};

}  // namespace hg::encode
