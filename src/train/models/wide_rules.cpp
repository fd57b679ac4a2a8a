// SPDX-License-Identifier: Apache-2.0
// wide_rules: sequential_rules that look far ahead: for the lists after one to five clicks, where what
// comes right next says less of the taste than what comes within the visit. Defaults chosen on users
// held out of MovieLens 100k.
#include "train/models/sequential_rules_model.hpp"

namespace hg::train {
namespace {

struct WideRulesOptions : SequentialRulesOptions {
    WideRulesOptions() {
        window = 80;
        fade = 0;
        decay = 0.8;
    }
};

std::unique_ptr<Recommender> fit_wide_rules(const FitContext& context, const Settings& settings) {
    return fit_sequential_rules(context, settings.read<WideRulesOptions>(), "wide_rules");
}

std::unique_ptr<Recommender> load_wide_rules(
    const SafetensorsFile& weights, const Settings& settings
) {
    return load_sequential_rules(weights, settings.read<WideRulesOptions>());
}

}  // namespace

extern const ModelEntry wide_rules{
    .name = "wide_rules",
    .summary =
        "what people took within a visit after each item: sequential rules that look far ahead",
    .facts = Fact::only_order,
    .options = &describe_options<WideRulesOptions>,
    .fit = &fit_wide_rules,
    .load = &load_wide_rules,
};

}  // namespace hg::train
