// SPDX-License-Identifier: Apache-2.0
// promotion: may a learned policy, or a run, serve? What the gate decided of it is kept beside its folder
// (runs/meta -> runs/meta.decision.json; the folder itself is never changed) and speaks of these weights
// and of the run they were judged with, no others. A run is judged with itself.
//
//   write_decision("runs/meta", {.version = "meta@0123456789ab", .run = "blend", .is_promoted = true, ...});
//   if (const auto why = why_held("runs/meta", "meta@0123456789ab", "blend")) { ... the fallback serves }
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hg::serve {

struct Promotion {
    std::string version{};  // weights_version()
    std::string run{};      // name of the run it chooses knobs for, or of the run itself
    bool is_promoted = false;
    std::string sentence{};                 // of the gate, where it held
    std::vector<std::string> incumbents{};  // it passed against, or was held by
    std::vector<std::string> records{};     // files of the whole records
};

[[nodiscard]] std::filesystem::path decision_path(const std::filesystem::path& judged);

/// Replaces an earlier decision; the records of the gate stay. Throws Error.
void write_decision(const std::filesystem::path& judged, const Promotion& decision);

/// Why it may not serve that run, as one clause; nothing where it was promoted. Throws Error where
/// the file is no decision.
[[nodiscard]] std::optional<std::string> why_held(
    const std::filesystem::path& judged, const std::string& version, const std::string& run
);

}  // namespace hg::serve
