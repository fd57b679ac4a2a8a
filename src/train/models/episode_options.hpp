// SPDX-License-Identifier: Apache-2.0
// EpisodeOptions: which clicks of a user are given and which are asked for, while dae and anil are
// trained (bag_training_net.hpp).
//
// A share of the episodes (`long_share`) takes more than max_context, so that old users are served
// well too.
#pragma once

#include "core/options.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace hg::train {

struct EpisodeOptions {
    std::int64_t max_context = 10;
    double long_share = 0.2;
    std::string context = "random";
    double user_weight = 0.5;
    double validation_share = 0.1;

    static void describe(OptionBinder& bind, EpisodeOptions& o);
};

/// How many of a user's n > 0 items are given: U{0..max_context}, with long_share U{0..n - 1}; at least one is left.
[[nodiscard]] std::size_t context_size(const EpisodeOptions& options, std::size_t n, Rng& rng);

}  // namespace hg::train
