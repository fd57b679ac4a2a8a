// SPDX-License-Identifier: Apache-2.0
// load_run: a run from disk, or one clear error: what is missing, damaged or of another version.
//
// The digests in the manifest, and its own seal, catch every flipped bit before a model sees the
// weights; the finite check catches weights that were already bad when they were written.
#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/folder_name.hpp"
#include "core/sealed_json.hpp"
#include "core/version_name.hpp"
#include "train/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::train {
namespace {

namespace fs = std::filesystem;

constexpr int known_version = 1;

[[noreturn]] void corrupt(const fs::path& path, std::string_view what) {
    throw Error{
        ErrorCode::corrupt,
        fmt::format("{}: {}", path.string(), what),
        "the run is damaged: train it again, or restore the folder from a copy"
    };
}

nlohmann::json read_manifest(const fs::path& folder) {
    std::error_code ignored;
    const auto path = folder / "manifest.json";
    if (!fs::is_directory(folder, ignored)) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("{}: no such run", folder.string()),
            "make one: honeyguide train --model NAME --data DIR --out RUN"
        };
    }
    if (!fs::exists(path, ignored)) {
        throw Error{
            ErrorCode::not_found,
            fmt::format("{}: no manifest.json: training did not finish", folder.string()),
            "run the same train command again: it resumes from the checkpoint, if there is one"
        };
    }
    const auto text = value_or_throw(read_file(path));
    auto manifest = nlohmann::json::parse(text, nullptr, false);
    if (!manifest.is_object()) {
        corrupt(path, "not a JSON object");
    }
    const auto version = manifest.find("format_version");
    if (version == manifest.end() || !version->is_number_integer()) {
        corrupt(path, "format_version is missing");
    }
    if (*version != known_version) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: format_version {}, this program reads {}",
                path.string(),
                version->dump(),
                known_version
            ),
            "use the version of honeyguide that wrote it, or train again"
        };
    }
    if (has_broken_seal(manifest)) {
        corrupt(path, "its content differs from its seal");
    }
    for (const auto* key : {"model", "settings", "files", "dataset"}) {
        if (!manifest.contains(key)) {
            corrupt(path, fmt::format("{} is missing", key));
        }
    }
    if (!manifest["model"].is_string() || !manifest["settings"].is_object() ||
        !manifest["files"].is_object() || !manifest["dataset"].is_object()) {
        corrupt(path, "model, settings, files or dataset is of the wrong type");
    }
    return manifest;
}

SafetensorsFile open_checked(
    const fs::path& folder, const nlohmann::json& manifest, const char* name
) {
    const auto path = folder / name;
    const auto mapping = value_or_throw(MappedFile::open(path));
    const auto& facts =
        manifest["files"].contains(name) ? manifest["files"][name] : nlohmann::json{};
    if (!facts.is_object() || !facts.contains("bytes") || !facts.contains("blake2b")) {
        corrupt(folder / "manifest.json", fmt::format("files has no facts of {}", name));
    }
    if (facts["bytes"] != mapping.bytes().size()) {
        corrupt(
            path,
            fmt::format(
                "{} bytes, the manifest says {}", mapping.bytes().size(), facts["bytes"].dump()
            )
        );
    }
    if (facts["blake2b"] != digest_hex(mapping.text())) {
        corrupt(path, "the content differs from the digest in manifest.json");
    }
    return value_or_throw(SafetensorsFile::open(path));
}

template <typename T>
void check_values(const fs::path& path, const SafetensorsFile& file, const std::string& name) {
    const auto values = value_or_throw(file.values<T>(name));
    const auto bad = std::ranges::find_if(values, [](T v) { return !std::isfinite(v); });
    if (bad != values.end()) {
        corrupt(
            path, fmt::format("tensor \"{}\" holds {} at {}", name, *bad, bad - values.begin())
        );
    }
}

void check_finite(const fs::path& path, const SafetensorsFile& file) {
    for (const auto& [name, tensor] : file.tensors()) {
        if (tensor.dtype == DType::f32) {
            check_values<float>(path, file, name);
        }
        if (tensor.dtype == DType::f64) {
            check_values<double>(path, file, name);
        }
    }
}

data::IdMap read_items(const fs::path& path, const SafetensorsFile& file) {
    data::IdMap items;
    const auto names = value_or_throw(file.strings("items"));
    for (std::size_t row = 0; row < names.size(); ++row) {
        if (items.intern(names[row]) != row) {
            corrupt(path, fmt::format("item id \"{}\" appears twice (row {})", names[row], row));
        }
    }
    return items;
}

std::string version_of(const fs::path& folder, const nlohmann::json& manifest) {
    return version_name(folder, digest_hex(manifest.dump()));
}

}  // namespace

std::string run_version(const fs::path& folder) {
    return version_of(folder, read_manifest(folder));
}

LoadedRun load_run(const fs::path& folder) {
    auto manifest = read_manifest(folder);
    const auto manifest_path = folder / "manifest.json";
    const auto& entry = find_model(manifest["model"].get<std::string>());
    const auto settings = Settings::from_json(manifest["settings"], manifest_path.string());
    const auto items_file = open_checked(folder, manifest, "items.safetensors");
    auto items = read_items(folder / "items.safetensors", items_file);
    const auto weights = open_checked(folder, manifest, "weights.safetensors");
    check_finite(folder / "weights.safetensors", weights);
    std::shared_ptr<const Recommender> model = entry.load(weights, settings);
    if (model->n_items() != items.size()) {
        corrupt(
            folder / "weights.safetensors",
            fmt::format(
                "scores {} items, items.safetensors names {}", model->n_items(), items.size()
            )
        );
    }
    auto version = version_of(folder, manifest);
    return {
        .name = folder_name(folder),
        .manifest = std::move(manifest),
        .items = std::move(items),
        .model = std::move(model),
        .version = std::move(version),
    };
}

}  // namespace hg::train
