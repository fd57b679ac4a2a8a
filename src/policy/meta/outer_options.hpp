// SPDX-License-Identifier: Apache-2.0
// OuterOptions: what every learner trained over episodes shares.
#pragma once

#include "core/options.hpp"

#include <cstdint>
#include <string>

namespace hg::policy {

struct OuterOptions {
    std::int64_t steps = 500;
    std::int64_t tasks_per_step = 32;
    double learning_rate = 3e-3;
    double weight_decay = 1e-4;
    std::int64_t max_support = 20;
    std::int64_t max_query = 32;
    std::string support = "first";
    std::string target = "residual";
    std::int64_t check_every = 50;
    std::int64_t patience = 8;
    double validation_share = 0.1;

    static void describe(OptionBinder& bind, OuterOptions& o);
};

}  // namespace hg::policy
