// SPDX-License-Identifier: Apache-2.0
// hstu: gated attention without softmax over a user's last items predicts the next one.
//
// Zhai et al., "Actions Speak Louder than Words: Trillion-Parameter Sequential Transducers for
// Generative Recommendations" (2024); the block: sequence_block_net.hpp. All else is that of sasrec:
// losses, start token, content, sequences.
#include "train/models/sequence_model.hpp"

namespace hg::train {
namespace {

std::unique_ptr<Recommender> fit_hstu(const FitContext& context, const Settings& settings) {
    return fit_sequence_model("hstu", BlockKind::hstu, context, settings.read<SequenceOptions>());
}

std::unique_ptr<Recommender> load_hstu(const SafetensorsFile& weights, const Settings& settings) {
    return load_sequence_model("hstu", BlockKind::hstu, weights, settings.read<SequenceOptions>());
}

}  // namespace

extern const ModelEntry hstu{
    .name = "hstu",
    .summary = "gated attention without softmax over the last items",
    .facts = Fact::uses_content | Fact::uses_gradient,
    .options = &describe_options<SequenceOptions>,
    .fit = &fit_hstu,
    .load = &load_hstu,
};

}  // namespace hg::train
