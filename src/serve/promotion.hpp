// SPDX-License-Identifier: Apache-2.0
// promotion: may a learned policy, or a run, serve? What the gate decided of it is kept beside its folder
// (runs/meta -> runs/meta.decision.json; the folder itself is never changed) and speaks of these weights, of the
// run they were judged with and of the options they would be served with, no others. A run is judged with itself.
//
//   write_decision("runs/meta", {.version = "meta@0123456789ab", .run = "blend@ba9876543210", ...});
//   if (const auto why = why_held("runs/meta", {"meta@0123456789ab", "blend@ba9876543210", options})) { ... }
#pragma once

#include "policy/plackett_luce.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hg::serve {

/// The newest one counts.
struct GateDecision {
    std::string version{};  // policy::actor_version() or train::run_version()
    std::string run{};      // train::run_version() of the run it chooses knobs for, or of itself
    bool is_promoted = false;
    std::string sentence{};  // of the gate, where it held
    /// Epsilon, temperature, candidates: where the log's are not meant.
    nlohmann::json serving = nlohmann::json::object();
    std::vector<std::string> incumbents{};  // it passed against, or was held by
    std::vector<std::string> records{};     // files of the whole records
};

/// What would serve now.
struct ToServe {
    std::string version;
    std::string run;
    policy::PlackettLuceOptions options;
};

[[nodiscard]] std::filesystem::path decision_path(const std::filesystem::path& judged);

/// Replaces an earlier decision; the records of the gate stay. Throws Error.
void write_decision(const std::filesystem::path& judged, const GateDecision& decision);

/// Why it may not serve, as one clause; nothing where it was promoted. Throws Error where the file is no decision.
[[nodiscard]] std::optional<std::string> why_held(
    const std::filesystem::path& judged, const ToServe& now
);

}  // namespace hg::serve
