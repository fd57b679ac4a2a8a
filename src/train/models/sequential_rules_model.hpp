// SPDX-License-Identifier: Apache-2.0
// sequential_rules_model: what people took soon after each of the items just taken; behind
// sequential_rules and wide_rules. Private to the models of this room.
//
// n_ij = how often j came within the next `window` events after i, over all users, the d-th event
// after it counting d^-fade; with p_j the share of j among all events,
//
//   P(j | i) = (n_ij + shrink p_j) / (n_i + shrink),   score_j = sum over the history of decay^age P(j | i)
//
// age = 0 for the last event. Unlike item_knn a rule has a direction and what was taken long before
// or after does not count, so it follows the order in which a shop or a page leads people on; no
// history gets popularity. Only liked events enter.
//
// Source: "sequential rules" of Ludewig and Jannach, "Evaluation of session-based recommendation
// algorithms" (UMUAI 2018), who use the last event alone and weigh by 1 / distance
// (`fade=1`, `decay=0`); the shrinkage and the decaying sum are ours.
#pragma once

#include "train/model_entry.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace hg::train {

struct SequentialRulesOptions {
    std::int64_t window = 20;
    double decay = 0.7;
    double shrink = 20;
    double fade = 0.5;
    std::int64_t rules = 1000;

    static void describe(OptionBinder& bind, SequentialRulesOptions& o) {
        bind(
            "window",
            o.window,
            "so many events after an item are what it led to",
            {.min = 1, .max = 100000}
        );
        bind(
            "decay",
            o.decay,
            "weight of an event of the history against the one after it; 0 = only the last counts",
            {.min = 0, .max = 1}
        );
        bind(
            "shrink",
            o.shrink,
            "events of popularity a rule is mixed with: doubts items seldom taken",
            {.min = 1e-3, .max = 1e9}
        );
        bind(
            "fade",
            o.fade,
            "the d-th event of the window counts d^-fade; 0 = all the same",
            {.min = 0, .max = 5}
        );
        bind("rules", o.rules, "keep the strongest of each item; 0 = all", {.min = 0});
    }
};

/// Throws exhausted where the rules would not fit in memory. name: of the model, for messages.
[[nodiscard]] std::unique_ptr<Recommender> fit_sequential_rules(
    const FitContext& context, const SequentialRulesOptions& options, std::string_view name
);

/// Throws corrupt.
[[nodiscard]] std::unique_ptr<Recommender> load_sequential_rules(
    const SafetensorsFile& weights, const SequentialRulesOptions& options
);

}  // namespace hg::train
