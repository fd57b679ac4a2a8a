// SPDX-License-Identifier: Apache-2.0
// tuning_report: a search for settings as lines a person reads and as one HTML file.
#pragma once

#include "app/tuning.hpp"

#include <string>

namespace hg::app {

/// The last trial of `so_far`, in a line.
[[nodiscard]] std::string trial_text(const TuningRequest& request, const Tuning& so_far);

/// The ten best of the last rung, and how many are too close to call.
[[nodiscard]] std::string tuning_text(const TuningRequest& request, const Tuning& tuning);

/// Self-contained: the course of the search, what each option did, all trials. `lead`: data and
/// protocol.
[[nodiscard]] std::string tuning_html(
    const TuningRequest& request, const Tuning& tuning, const std::string& lead
);

/// The best settings as a file for `train --config`.
[[nodiscard]] std::string best_toml(const TuningRequest& request, const Tuning& tuning);

}  // namespace hg::app
