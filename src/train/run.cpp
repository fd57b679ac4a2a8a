// SPDX-License-Identifier: Apache-2.0
// fit_run: fits a model and writes its run, the manifest last, so that a folder with a manifest is
// whole.
#include "train/run.hpp"

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/run_files.hpp"
#include "core/sealed_json.hpp"
#include "core/utc_time.hpp"
#include "data/summary.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#ifndef HG_GIT
#define HG_GIT "unknown"
#endif

namespace hg::train {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const FitRequest& request, std::string_view what, std::string hint) {
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("model {} {}", request.entry.name, what),
        std::move(hint)
    };
}

void check_facts(const FitRequest& request) {
    const auto& data = request.dataset;
    if (data.log.empty() || data.items.size() == 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("dataset {} has no events to learn from", data.name),
            "check the rejected rows: honeyguide ingest prints why each was refused"
        };
    }
    if (has(request.entry.facts, Fact::needs_content) && request.content == nullptr) {
        refuse(
            request,
            "needs item vectors, this dataset has none",
            "give the items some fields, or run honeyguide encode and train with --content ENCODER"
        );
    }
    if (has(request.entry.facts, Fact::needs_real_time) && data.time_kind != data::TimeKind::real) {
        refuse(
            request,
            "needs real timestamps, this dataset has none",
            "say time = \"real\" in dataset.toml if the column holds dates"
        );
    }
    if (request.content != nullptr && request.content->n_items() != data.log.n_items()) {
        refuse(
            request,
            fmt::format(
                "got vectors of {} items for a dataset of {}",
                request.content->n_items(),
                data.log.n_items()
            ),
            "run honeyguide encode again"
        );
    }
}

nlohmann::json given_options(const Settings& settings) {
    nlohmann::json given = nlohmann::json::object();
    for (const auto& [key, value] : settings.values()) {
        given[key] = {{"value", value.text}, {"from", value.origin}};
    }
    return given;
}

nlohmann::json dataset_json(const data::Dataset& dataset) {
    auto types = nlohmann::json::array();
    for (const auto& type : dataset.event_types) {
        types.push_back({{"name", type.name}, {"weight", type.weight}});
    }
    return {
        {"name", dataset.name},
        {"hash", dataset.hash},
        {"n_users", dataset.users.size()},
        {"n_items", dataset.items.size()},
        {"n_events", dataset.log.size()},
        {"event_types", std::move(types)},
        {"time", data::to_string(dataset.time_kind)},
        {"repeats_count", dataset.repeats_count},
    };
}

nlohmann::json make_manifest(const FitRequest& request, nlohmann::json resolved) {
    const auto* content = request.content;
    return {
        {"format_version", 1},
        {"model", request.entry.name},
        {"summary", request.entry.summary},
        {"seed", request.seed},
        {"settings", std::move(resolved)},
        {"given", given_options(request.settings)},
        {"dataset", dataset_json(request.dataset)},
        {"content_encoder", content != nullptr ? nlohmann::json(content->encoder) : nlohmann::json{}
        },
        {"content_dim", content != nullptr ? content->dim() : 0},
        {"created", utc_now()},
        {"version", HG_VERSION},
        {"git", HG_GIT},
    };
}

void write_files(const FitRequest& request, const Recommender& model) {
    SafetensorsWriter weights;
    model.save(weights);
    weights.add_metadata("model", std::string{request.entry.name});
    weights.save(request.folder / "weights.safetensors");
    SafetensorsWriter items;
    items.add_strings("items", request.dataset.items.names());
    items.save(request.folder / "items.safetensors");
}

}  // namespace

void fit_run(const FitRequest& request, ProgressSink& progress, std::stop_token stop) {
    check_facts(request);
    auto resolved =
        resolve_settings(request.entry, request.settings);  // refuses a typo before any work
    RunWriter run{request.folder};
    const Stopwatch watch;
    const auto model = request.entry.fit(
        FitContext{
            .dataset = request.dataset,
            .log = request.dataset.log,
            .content = request.content,
            .rng = Rng{request.seed},
            .progress = progress,
            .stop = std::move(stop),
            .run = &run,
        },
        request.settings
    );
    const auto seconds = watch.seconds();
    HG_CHECK(
        model->n_items() == request.dataset.items.size(), "a model scores every item of its dataset"
    );
    write_files(request, *model);
    auto manifest = make_manifest(request, std::move(resolved));
    manifest["fit"] = run.notes();
    manifest["seconds"] = seconds;
    for (const auto* name : {"weights.safetensors", "items.safetensors"}) {
        manifest["files"][name] = file_facts(request.folder / name);
    }
    seal(manifest);
    write_file_atomic(request.folder / "manifest.json", manifest.dump(2) + "\n");
    std::error_code ignored;
    fs::remove(run.checkpoint_path(), ignored);
}

}  // namespace hg::train
