// SPDX-License-Identifier: Apache-2.0
#include "core/run_files.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace hg {
namespace {

template <typename T>
void check_values(
    const std::filesystem::path& path, const SafetensorsFile& file, const std::string& name
) {
    const auto values = value_or_throw(file.values<T>(name));
    const auto bad = std::ranges::find_if(values, [](T v) { return !std::isfinite(v); });
    if (bad != values.end()) {
        throw_damaged_run(
            path, fmt::format("tensor \"{}\" holds {} at {}", name, *bad, bad - values.begin())
        );
    }
}

void check_finite(const std::filesystem::path& path, const SafetensorsFile& file) {
    for (const auto& [name, tensor] : file.tensors()) {
        if (tensor.dtype == DType::f32) {
            check_values<float>(path, file, name);
        }
        if (tensor.dtype == DType::f64) {
            check_values<double>(path, file, name);
        }
    }
}

}  // namespace

void throw_damaged_run(const std::filesystem::path& file, std::string_view what) {
    throw Error{
        ErrorCode::corrupt,
        fmt::format("{}: {}", file.string(), what),
        "the run is damaged: make it again, or restore the folder from a copy"
    };
}

nlohmann::json file_facts(const std::filesystem::path& path) {
    const auto file = value_or_throw(MappedFile::open(path));
    return {{"bytes", file.bytes().size()}, {"blake2b", digest_hex(file.text())}};
}

SafetensorsFile open_run_file(
    const std::filesystem::path& folder, const nlohmann::json& manifest, std::string_view name
) {
    const auto path = folder / name;
    const auto mapping = value_or_throw(MappedFile::open(path));
    const auto files = manifest.value("files", nlohmann::json::object());
    const auto facts = files.is_object() ? files.value(name, nlohmann::json{}) : nlohmann::json{};
    if (!facts.is_object() || !facts.contains("bytes") || !facts.contains("blake2b")) {
        throw_damaged_run(folder / "manifest.json", fmt::format("files has no facts of {}", name));
    }
    if (facts["bytes"] != mapping.bytes().size()) {
        throw_damaged_run(
            path,
            fmt::format(
                "{} bytes, the manifest says {}", mapping.bytes().size(), facts["bytes"].dump()
            )
        );
    }
    if (facts["blake2b"] != digest_hex(mapping.text())) {
        throw_damaged_run(path, "the content differs from the digest in manifest.json");
    }
    auto file = value_or_throw(SafetensorsFile::open(path));
    check_finite(path, file);
    return file;
}

}  // namespace hg
