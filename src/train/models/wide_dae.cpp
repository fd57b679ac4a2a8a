// SPDX-License-Identifier: Apache-2.0
// wide_dae: dae with many units of which most are dropped in each step: for the lists after one to
// five clicks.
//
// A net of 256 tanh units fits the answers to ten clicks best when the answers to one click are
// already overfitted; rectified units under heavy dropout do not have to choose (bench/results/
// fewshot.md). All examples of a step drop the same units, which costs no quality and halves the time.
// The step size falls to 0, so no epoch has to be picked and nobody is held out.
#include "train/models/dae_model.hpp"

namespace hg::train {
namespace {

struct WideDaeOptions : DaeOptions {
    WideDaeOptions() {
        dim = 768;
        training.epochs = 80;
        training.patience = 0;
        dropout = 0.6;
        dropout_per = "step";
        activation = "relu";
        schedule = "cosine";
        episodes.validation_share = 0;
    }
};

std::unique_ptr<Recommender> fit_wide_dae(const FitContext& context, const Settings& settings) {
    return fit_dae(context, settings.read<WideDaeOptions>(), "wide_dae");
}

std::unique_ptr<Recommender> load_wide_dae(
    const SafetensorsFile& weights, const Settings& settings
) {
    return load_dae(weights, settings.read<WideDaeOptions>());
}

}  // namespace

extern const ModelEntry wide_dae{
    .name = "wide_dae",
    .summary = "dae with many units, most of them dropped in training: better after few events",
    .facts = Fact::uses_gradient,
    .options = &describe_options<WideDaeOptions>,
    .fit = &fit_wide_dae,
    .load = &load_wide_dae,
};

}  // namespace hg::train
