// SPDX-License-Identifier: Apache-2.0
// few_shot_curves: how well each user never trained on is served after k events, row by row, as a file:
// `evaluate --protocol few-shot --curves FILE` writes it, `gate --few-shot FILE` compares two rows of it
// user by user.
//
//   {"kind": "few-shot curves", "dataset": ..., "metric": "ndcg@10", "contexts": [0, 1, 2],
//    "users": ["7", ...], "rows": [{"name": "blend", "warnings": [], "values": [[..., null], ...]}]}
//
// values: [contexts][users], a user's mean where they were asked several times, null where never.
#pragma once

#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "data/dataset.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace hg::app {

/// Throws Error where the protocol does not ask after several lengths of history.
[[nodiscard]] nlohmann::json few_shot_curves(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    std::size_t k
);

/// What every file of curves says of itself: `kind`.
inline constexpr const char* curves_kind = "few-shot curves";

/// Candidate - incumbent, user by user.
struct PairedCurves {
    std::vector<std::size_t> n_events;
    std::string unit = "events";                   // or "turns", of a play
    std::vector<std::vector<double>> differences;  // by length of history
    std::vector<double> worst_decile;
    std::vector<std::string> notes;  // whole sentences: what the rows may have seen
};

/// Throws Error: the file is none of these, or has no such rows.
[[nodiscard]] PairedCurves read_paired_curves(
    const std::filesystem::path& path, const std::string& candidate, const std::string& incumbent
);

}  // namespace hg::app
