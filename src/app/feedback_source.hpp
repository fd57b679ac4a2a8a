// SPDX-License-Identifier: Apache-2.0
// feedback_source: what --data and --log of `simulate fit` and `simulate fidelity` name, as the
// table that worlds are fitted to and judged on.
#pragma once

#include "core/progress.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/fit_world.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <stop_token>
#include <string>

namespace hg::app {

struct FeedbackSource {
    simulate::FeedbackTable table;
    nlohmann::json facts;  // for manifests: where it came from and its hash
};

/// Exactly one of `data` (a dataset's folder) and `log` (an impression log) is given. Throws Error.
[[nodiscard]] FeedbackSource read_feedback(
    const std::string& data,
    const std::string& log,
    const simulate::WorldFitOptions& options,
    std::uint64_t seed,
    ProgressSink& progress,
    const std::stop_token& stop
);

}  // namespace hg::app
