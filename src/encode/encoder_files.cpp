// SPDX-License-Identifier: Apache-2.0
#include "encode/encoder_files.hpp"

#include "core/error.hpp"
#include "core/file.hpp"

#include <fmt/format.h>

#include <utility>

namespace hg::encode {
namespace {

std::filesystem::path json_path(const std::filesystem::path& folder) {
    return folder / "encoder.json";
}

std::filesystem::path state_path(const std::filesystem::path& folder) {
    return folder / "encoder.safetensors";
}

constexpr auto next_step = "run honeyguide encode again";

}  // namespace

void write_encoder_json(
    const std::filesystem::path& folder, std::string_view encoder, nlohmann::json content
) {
    content["format_version"] = encoder_format_version;
    content["encoder"] = encoder;
    write_file_atomic(json_path(folder), content.dump(2) + "\n");
}

nlohmann::json read_encoder_json(const std::filesystem::path& folder) {
    const auto path = json_path(folder).string();
    const auto text = value_or_throw(read_file(path));
    auto content = nlohmann::json::parse(text, nullptr, false);
    if (!content.is_object() || !content.contains("encoder") || !content["encoder"].is_string()) {
        throw Error{ErrorCode::corrupt, path + ": not the description of an encoder", next_step};
    }
    const auto version = content.value("format_version", nlohmann::json{});
    if (version != encoder_format_version) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format(
                "{}: format_version is {}, expected {}",
                path,
                version.dump(),
                encoder_format_version
            ),
            next_step,
        };
    }
    return content;
}

SafetensorsFile open_encoder_state(const std::filesystem::path& folder) {
    return value_or_throw(SafetensorsFile::open(state_path(folder)));
}

void write_encoder_state(const std::filesystem::path& folder, const SafetensorsWriter& state) {
    state.save(state_path(folder));
}

}  // namespace hg::encode
