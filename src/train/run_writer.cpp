// SPDX-License-Identifier: Apache-2.0
// RunWriter: the traces of a fit in progress. Curves go to metrics.jsonl, one JSON object a line,
// flushed at once so that a person can follow with tail -f and a crash loses nothing; and to a
// TensorBoard event file, made with the first point.
#include "core/clock.hpp"
#include "core/durable_folder.hpp"
#include "train/run.hpp"
#include "train/tensorboard.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <optional>
#include <utility>

namespace hg::train {

namespace fs = std::filesystem;

struct RunWriter::Impl {
    std::ofstream metrics;
    SystemClock clock;
    std::optional<TensorBoardWriter> curves;
};

RunWriter::RunWriter(fs::path folder)
    : folder_(std::move(folder)), impl_(std::make_unique<Impl>()) {
    std::error_code error;
    if (fs::exists(folder_ / "manifest.json", error)) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{}: holds a finished run, and runs never change", folder_.string()),
            "choose another --out, or remove the folder first",
        };
    }
    create_durable_folders(folder_);
    // Without a checkpoint the fit starts over, and so do its curves.
    const bool resumes = fs::exists(checkpoint_path(), error);
    if (!resumes) {
        fs::remove(folder_ / TensorBoardWriter::file_name, error);
    }
    impl_->metrics.open(
        folder_ / "metrics.jsonl", std::ios::binary | (resumes ? std::ios::app : std::ios::trunc)
    );
    if (!impl_->metrics) {
        throw Error{
            ErrorCode::unavailable,
            fmt::format("{}: cannot write metrics.jsonl", folder_.string()),
            "check the permissions and the free space",
        };
    }
}

RunWriter::~RunWriter() = default;

void RunWriter::metric(std::string_view name, std::int64_t step, double value) {
    nlohmann::json line{{"name", name}, {"step", step}};
    line["value"] =
        std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(fmt::format("{}", value));
    impl_->metrics << line.dump() << '\n' << std::flush;
    if (!impl_->metrics) {
        throw Error{
            ErrorCode::exhausted,
            fmt::format("{}: cannot write metrics.jsonl", folder_.string()),
            "free disk space and run the same command again",
        };
    }
    if (!impl_->curves) {
        impl_->curves.emplace(folder_, impl_->clock);
    }
    impl_->curves->scalar(name, step, value);
}

fs::path RunWriter::checkpoint_path() const {
    return folder_ / checkpoint_name;
}

void RunWriter::note(std::string_view key, nlohmann::json value) {
    notes_[std::string{key}] = std::move(value);
}

}  // namespace hg::train
