// SPDX-License-Identifier: Apache-2.0
// dae: a denoising autoencoder over the first clicks (train/models/dae_model.hpp), small enough to be
// trained in a minute, stopped early on held-out users.
#include "train/models/dae_model.hpp"

namespace hg::train {
namespace {

std::unique_ptr<Recommender> fit_dae(const FitContext& context, const Settings& settings) {
    return fit_dae(context, settings.read<DaeOptions>(), "dae");
}

std::unique_ptr<Recommender> load_dae(const SafetensorsFile& weights, const Settings& settings) {
    return load_dae(weights, settings.read<DaeOptions>());
}

}  // namespace

extern const ModelEntry dae{
    .name = "dae",
    .summary = "denoising autoencoder trained on bags of a few events of each user",
    .facts = Fact::uses_gradient,
    .options = &describe_options<DaeOptions>,
    .fit = &fit_dae,
    .load = &load_dae,
};

}  // namespace hg::train
