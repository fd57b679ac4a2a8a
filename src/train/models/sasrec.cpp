// SPDX-License-Identifier: Apache-2.0
// sasrec: self-attention over a user's last items predicts the next one.
//
// Kang and McAuley, "Self-Attentive Sequential Recommendation" (2018). Deviations: pre-norm blocks
// with GELU; the full softmax where the catalogue is small (Klenitskiy and Vasilev, 2023: the loss
// decides), else the sampled one; a learned start token, so that an empty history has scores; an
// item is its own vector plus its projected content, so that items which did not exist are scored
// too; sequences are filled up at the end.
#include "train/models/sequence_model.hpp"

namespace hg::train {
namespace {

std::unique_ptr<Recommender> fit_sasrec(const FitContext& context, const Settings& settings) {
    return fit_sequence_model(
        "sasrec", BlockKind::attention, context, settings.read<SequenceOptions>()
    );
}

std::unique_ptr<Recommender> load_sasrec(const SafetensorsFile& weights, const Settings& settings) {
    return load_sequence_model(
        "sasrec", BlockKind::attention, weights, settings.read<SequenceOptions>()
    );
}

}  // namespace

extern const ModelEntry sasrec{
    .name = "sasrec",
    .summary = "self-attention over the last items",
    .facts = Fact::uses_content | Fact::uses_gradient,
    .options = &describe_options<SequenceOptions>,
    .fit = &fit_sasrec,
    .load = &load_sasrec,
};

}  // namespace hg::train
