// SPDX-License-Identifier: Apache-2.0
#include "train/models/episode_options.hpp"

#include <algorithm>

namespace hg::train {

void EpisodeOptions::describe(OptionBinder& bind, EpisodeOptions& o) {
    bind(
        "max_context", o.max_context, "contexts have 0 to this many events", {.min = 0, .max = 1e6}
    );
    bind(
        "long_share",
        o.long_share,
        "share of examples with a context of any length",
        {.min = 0, .max = 1}
    );
    bind(
        "context",
        o.context,
        "which events of a user are the context",
        {.choices = {"first", "random"}}
    );
    bind(
        "user_weight",
        o.user_weight,
        "weight of a user with n targets is n to this power; 0 = all users the same, 1 = all "
        "targets",
        {.min = 0, .max = 1}
    );
    bind(
        "validation_share",
        o.validation_share,
        "share of users held out for early stopping; 0 = train all epochs on everybody",
        {.min = 0, .max = 0.5}
    );
}

std::size_t context_size(const EpisodeOptions& options, std::size_t n, Rng& rng) {
    const auto most =
        rng.uniform() < options.long_share ? n - 1 : static_cast<std::size_t>(options.max_context);
    return rng.below(std::min(most, n - 1) + 1);
}

}  // namespace hg::train
