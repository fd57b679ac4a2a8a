// SPDX-License-Identifier: Apache-2.0
// load_run: a run from disk, or one clear error: what is missing, damaged or of another version.
//
// The digests in the manifest, and its own seal, catch every flipped bit before a model sees the
// weights; the finite check catches weights that were already bad when they were written.
#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/folder_name.hpp"
#include "core/run_files.hpp"
#include "core/sealed_json.hpp"
#include "core/version_name.hpp"
#include "train/run.hpp"

#include <fmt/format.h>

namespace hg::train {
namespace {

namespace fs = std::filesystem;

constexpr int known_version = 1;

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
        throw_damaged_run(path, "not a JSON object");
    }
    const auto version = manifest.find("format_version");
    if (version == manifest.end() || !version->is_number_integer()) {
        throw_damaged_run(path, "format_version is missing");
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
        throw_damaged_run(path, "its content differs from its seal");
    }
    for (const auto* key : {"model", "settings", "files", "dataset"}) {
        if (!manifest.contains(key)) {
            throw_damaged_run(path, fmt::format("{} is missing", key));
        }
    }
    if (!manifest["model"].is_string() || !manifest["settings"].is_object() ||
        !manifest["files"].is_object() || !manifest["dataset"].is_object()) {
        throw_damaged_run(path, "model, settings, files or dataset is of the wrong type");
    }
    return manifest;
}

data::IdMap read_items(const fs::path& path, const SafetensorsFile& file) {
    data::IdMap items;
    const auto names = value_or_throw(file.strings("items"));
    for (std::size_t row = 0; row < names.size(); ++row) {
        if (items.intern(names[row]) != row) {
            throw_damaged_run(
                path, fmt::format("item id \"{}\" appears twice (row {})", names[row], row)
            );
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
    const auto items_file = open_run_file(folder, manifest, "items.safetensors");
    auto items = read_items(folder / "items.safetensors", items_file);
    const auto weights = open_run_file(folder, manifest, "weights.safetensors");
    std::shared_ptr<const Recommender> model = entry.load(weights, settings);
    if (model->n_items() != items.size()) {
        throw_damaged_run(
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
