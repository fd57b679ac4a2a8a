// SPDX-License-Identifier: Apache-2.0
// fit_model: a registered model learned from a log, without content, for tests.
#pragma once

#include "core/options.hpp"
#include "train/model_entry.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace hg::testing_support {

[[nodiscard]] inline std::unique_ptr<train::Recommender> fit_model(
    std::string_view name,
    const data::Dataset& dataset,
    const data::InteractionLog& log,
    const Settings& settings = {},
    std::uint64_t seed = 3
) {
    SilentProgress silent;
    return train::find_model(name).fit(
        {.dataset = dataset,
         .log = log,
         .content = nullptr,
         .rng = Rng{seed},
         .progress = silent,
         .stop = {}},
        settings
    );
}

}  // namespace hg::testing_support
