// SPDX-License-Identifier: Apache-2.0
// The files an encoder leaves beside its vectors: encoder.json (what it is) and encoder.safetensors
// (what it learned). Layout: docs/formats/vectors.md.
#pragma once

#include "core/safetensors.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string_view>

namespace hg::encode {

inline constexpr int encoder_format_version = 1;

/// Adds format_version and encoder, writes FOLDER/encoder.json.
void write_encoder_json(
    const std::filesystem::path& folder, std::string_view encoder, nlohmann::json content
);

/// An object with at least format_version and encoder (a string). Throws Error.
[[nodiscard]] nlohmann::json read_encoder_json(const std::filesystem::path& folder);

[[nodiscard]] SafetensorsFile open_encoder_state(const std::filesystem::path& folder);
void write_encoder_state(const std::filesystem::path& folder, const SafetensorsWriter& state);

}  // namespace hg::encode
