// SPDX-License-Identifier: Apache-2.0
// The parts of measure_fidelity(), each filling its fields of the report.
#pragma once

#include "simulate/learned/fidelity.hpp"

namespace hg::simulate {

/// What a part may look at.
struct FidelityInput {
    const std::shared_ptr<const WorldModel>& model;
    const FeedbackTable& table;
    const FeedbackSplit& split;
    const FidelityOptions& options;
};

/// chances, click_bins, numbers
void measure_answers(const FidelityInput& input, Fidelity& out);

/// sessions, log_lengths, world_lengths, log_popularity, world_popularity
void measure_sessions(const FidelityInput& input, Fidelity& out);

/// policies, rank_agreement
void measure_policies(const FidelityInput& input, Fidelity& out);

}  // namespace hg::simulate
