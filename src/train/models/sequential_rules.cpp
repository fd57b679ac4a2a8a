// SPDX-License-Identifier: Apache-2.0
// sequential_rules: what people took soon after each of the items just taken
// (train/models/sequential_rules_model.hpp), tuned for what comes next: defaults chosen on the
// validation events of MovieLens 100k, ml-1m-sasrec and Amazon Beauty.
#include "train/models/sequential_rules_model.hpp"

namespace hg::train {
namespace {

std::unique_ptr<Recommender> fit_sequential_rules(
    const FitContext& context, const Settings& settings
) {
    return fit_sequential_rules(
        context, settings.read<SequentialRulesOptions>(), "sequential_rules"
    );
}

std::unique_ptr<Recommender> load_sequential_rules(
    const SafetensorsFile& weights, const Settings& settings
) {
    return load_sequential_rules(weights, settings.read<SequentialRulesOptions>());
}

}  // namespace

extern const ModelEntry sequential_rules{
    .name = "sequential_rules",
    .summary = "what people took soon after each of the items just taken",
    .facts = Fact::only_order,
    .options = &describe_options<SequentialRulesOptions>,
    .fit = &fit_sequential_rules,
    .load = &load_sequential_rules,
};

}  // namespace hg::train
