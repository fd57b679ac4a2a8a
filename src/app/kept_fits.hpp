// SPDX-License-Identifier: Apache-2.0
// kept_fits: fits that outlive an evaluation that was stopped. What learns by gradients leaves
// checkpoints and curves while it learns, and its weights when it is done; asked for the same again,
// it is loaded.
//
//   const auto model = fit_kept(entry, context, settings, {"work", "sasrec", seed}, seconds);
//
// A fit is known by its model, settings and seed, and by the very events, item names and vectors it learns from.
#pragma once

#include "core/options.hpp"
#include "train/model_entry.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace hg::app {

struct FitPlace {
    std::filesystem::path folder;  // empty: nothing is kept
    std::string name;              // for people; the folder of the fit is NAME-DIGEST
    std::uint64_t seed = 7;
};

/// As ModelEntry::fit; adds what it took, now or when it was fitted, to `seconds`. `context.run` is set here.
/// Throws Error{corrupt} where what was kept is damaged.
[[nodiscard]] std::unique_ptr<train::Recommender> fit_kept(
    const train::ModelEntry& entry,
    train::FitContext context,
    const Settings& settings,
    const FitPlace& place,
    double& seconds
);

}  // namespace hg::app
