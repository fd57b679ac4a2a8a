// SPDX-License-Identifier: Apache-2.0
// Run: a trained model as a folder: manifest.json, weights.safetensors, items.safetensors,
// metrics.jsonl and a TensorBoard event file. Immutable once its manifest is written (the manifest
// is written last).
//
//   const LoadedRun run = load_run("runs/ease");      // throws Error: what is missing or damaged
//
//   run.model->score(histories, scores.view());       // columns of scores follow run.items
#pragma once

#include "core/options.hpp"
#include "data/dataset.hpp"
#include "data/id_map.hpp"
#include "train/model_entry.hpp"
#include "train/recommender.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace hg::train {

/// Where a fit in progress leaves its traces. Not thread-safe.
class RunWriter {
  public:
    /// Creates the folder. A finished run (one with a manifest) is refused: conflict.
    explicit RunWriter(std::filesystem::path folder);
    RunWriter(const RunWriter&) = delete;
    RunWriter& operator=(const RunWriter&) = delete;
    RunWriter(RunWriter&&) = delete;
    RunWriter& operator=(RunWriter&&) = delete;
    ~RunWriter();

    /// One point of a curve: to metrics.jsonl and to TensorBoard.
    void metric(std::string_view name, std::int64_t step, double value);

    static constexpr std::string_view checkpoint_name = "checkpoint.safetensors";

    /// A model may keep one file here to resume from; removed once the run is whole.
    [[nodiscard]] std::filesystem::path checkpoint_path() const;

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

    /// Facts for the manifest under "fit" (best epoch, validation metrics, chosen weights).
    void note(std::string_view key, nlohmann::json value);

    [[nodiscard]] const nlohmann::json& notes() const noexcept { return notes_; }

  private:
    struct Impl;
    std::filesystem::path folder_;
    nlohmann::json notes_ = nlohmann::json::object();
    std::unique_ptr<Impl> impl_;
};

struct FitRequest {
    const ModelEntry& entry;
    Settings settings;
    std::uint64_t seed = 7;
    const data::Dataset& dataset;
    const encode::ItemVectors* content = nullptr;
    std::filesystem::path folder;
};

/// Fits and writes the run; on a stop request the checkpoint stays and Error{interrupted} is
/// thrown; the same call again resumes. Refuses (invalid_argument) when the model's facts do not
/// fit the dataset.
void fit_run(const FitRequest& request, ProgressSink& progress, std::stop_token stop);

struct LoadedRun {
    std::string name;  // of the folder
    nlohmann::json manifest;
    data::IdMap items;  // row of the model <-> item id
    std::shared_ptr<const Recommender> model;
    std::string version{};  // run_version()
};

/// "blend@0123456789ab": the folder's name and a digest of its manifest, which holds the settings and the digests
/// of the other files. Throws Error where there is no whole manifest.
[[nodiscard]] std::string run_version(const std::filesystem::path& folder);

[[nodiscard]] LoadedRun load_run(const std::filesystem::path& folder);

}  // namespace hg::train
