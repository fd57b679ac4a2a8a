// SPDX-License-Identifier: Apache-2.0
#include "evaluate/gate.hpp"

namespace hg::evaluate {

void GateOptions::describe(OptionBinder& bind, GateOptions& o) {
    bind("level", o.level, "confidence of the bounds", {.min = 0.5, .max = 0.9999});
    bind("margin", o.margin, "delta as a share of the incumbent's value", {.min = 0, .max = 1});
    bind("min_effective_rows", o.min_effective_rows, "effective sample size", {.min = 1});
    bind(
        "min_effective_share",
        o.min_effective_share,
        "effective sample size by rows",
        {.min = 0, .max = 1}
    );
    bind(
        "max_mean_weight_z",
        o.max_mean_weight_z,
        "standard errors of the mean weight from 1",
        {.min = 0}
    );
    bind("max_weight_share", o.max_weight_share, "heaviest row by the sum", {.min = 0, .max = 1});
    bind(
        "min_supported_mass",
        o.min_supported_mass,
        "share of the candidate the log covers",
        {.min = 0, .max = 1}
    );
    bind("max_model_gap", o.max_model_gap, "standard errors between dm and dr", {.min = 0});
    bind("random_share", o.random_share, "randomised share of traffic", {.min = 1e-6, .max = 1});
    bind(
        "power",
        o.power,
        "of the requested data, for an equal candidate",
        {.min = 0.5, .max = 0.9999}
    );
    bind(
        "first_impressions",
        o.first_impressions,
        "of each user, looked at by themselves",
        {.min = 1, .max = 1e6}
    );
    bind("min_group_rows", o.min_group_rows, "effective rows of a group", {.min = 2});
    bind(
        "curves_required",
        o.curves_required,
        "hold where no curves say how new users and the worst-off are served"
    );
}

}  // namespace hg::evaluate
