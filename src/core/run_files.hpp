// SPDX-License-Identifier: Apache-2.0
// run_files: the files of a run stand in its manifest with their lengths and digests, and are read back only as
// they were written. The manifest itself is sealed (sealed_json.hpp).
//
//   manifest["files"]["weights.safetensors"] = file_facts(folder / "weights.safetensors");
//   const auto weights = open_run_file(folder, manifest, "weights.safetensors");
#pragma once

#include "core/safetensors.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string_view>

namespace hg {

/// {"bytes", "blake2b"}. Throws Error where it cannot be read.
[[nodiscard]] nlohmann::json file_facts(const std::filesystem::path& path);

/// Throws Error: missing, not in the manifest, of another length or content, or with a number that is none.
[[nodiscard]] SafetensorsFile open_run_file(
    const std::filesystem::path& folder, const nlohmann::json& manifest, std::string_view name
);

/// Error{corrupt} with what a run's owner can do.
[[noreturn]] void throw_damaged_run(const std::filesystem::path& file, std::string_view what);

}  // namespace hg
