// SPDX-License-Identifier: Apache-2.0
#include "data/ingest.hpp"

#include "core/clock.hpp"
#include "data/binary_dataset.hpp"
#include "data/cell.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <optional>
#include <utility>

namespace hg::data {
namespace {

namespace fs = std::filesystem;

/// Streams rejected rows into a file that exists only if there are any.
class RejectedFile {
  public:
    explicit RejectedFile(fs::path path) : path_(std::move(path)) {}

    void write(const RejectedRow& row) {
        if (!out_.is_open()) {
            out_.open(path_, std::ios::binary);
        }
        const nlohmann::json line{
            {"file", row.file},
            {"line", row.line},
            {"reason", row.reason},
            {"message", row.message},
            {"row", row.text}
        };
        out_ << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    }

    void close() {
        if (!out_.is_open()) {
            return;
        }
        out_.close();
        if (out_.fail()) {
            throw Error{
                ErrorCode::exhausted,
                path_.string() + ": cannot write",
                "free disk space and try again"
            };
        }
    }

    /// Saves the file from the folder that is about to go away.
    void move_to(const fs::path& target) {
        if (!out_.is_open()) {
            return;
        }
        out_.close();
        std::error_code ignored;
        fs::rename(path_, target, ignored);
    }

  private:
    fs::path path_;
    std::ofstream out_;
};

Result<std::optional<TimeMs>> parse_bound(
    std::string_view text, TimeKind kind, std::string_view option
) {
    if (text.empty()) {
        return std::nullopt;
    }
    if (kind == TimeKind::none) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("--{} needs times, this data has none", option),
            "drop the option, or map a time column in dataset.toml"
        );
    }
    if (kind == TimeKind::real) {
        if (const auto time = parse_iso_time(text)) {
            return time;
        }
    } else if (const auto number = parse_number(text)) {
        return static_cast<TimeMs>(*number);
    }
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("--{} \"{}\" is not a time", option, text),
        kind == TimeKind::real ? "write 2024-03-01 or 2024-03-01T12:30:00Z"
                               : "this data has positions: give a number"
    );
}

/// The key stays with the data: a dataset's own, else the file that was named, else the key of the
/// dataset that will be replaced, else a new one.
Result<Pseudonyms> choose_pseudonyms(
    const fs::path& folder, const fs::path& out, const fs::path& key_file
) {
    HG_TRY(auto of_source, load_pseudonyms(folder));
    if (of_source) {
        return std::move(*of_source);
    }
    std::error_code ignored;
    if (!key_file.empty()) {
        if (!fs::exists(key_file, ignored)) {
            Pseudonyms::make().save(key_file);
        }
        return Pseudonyms::load(key_file);
    }
    HG_TRY(auto of_target, load_pseudonyms(out));
    return of_target ? std::move(*of_target) : Pseudonyms::make();
}

Result<RawDataset> read_any(const fs::path& folder, const ReadOptions& options) {
    if (!is_binary_dataset(folder)) {
        return read_raw_dataset(folder, options);
    }
    RawDataset raw;
    HG_TRY(raw.data, open_binary_dataset(folder));
    raw.report.files = {"dataset.json"};
    raw.report.rows = raw.data.log.size();
    return raw;
}

nlohmann::json rejected_json(const IngestReport& report) {
    return {
        {"count", report.read.rejected},
        {"reasons", report.read.reasons},
        {"examples", report.read.examples}
    };
}

nlohmann::json filters_json(const IngestReport& report) {
    auto steps = nlohmann::json::array();
    for (const auto& step : report.filters) {
        steps.push_back({{"name", step.name}, {"events", step.events}});
    }
    return {
        {"steps", steps},
        {"users_dropped", report.users_dropped},
        {"items_dropped", report.items_dropped}
    };
}

}  // namespace

Result<IngestReport> ingest(
    const fs::path& folder,
    const fs::path& out,
    const IngestOptions& options,
    ProgressSink& progress
) {
    const Stopwatch watch;
    IngestReport report;
    Progress bar{progress, "ingest", 3, "steps"};
    HG_TRY(auto transaction, FolderTransaction::begin(out));
    RejectedFile rejected{transaction.folder() / "rejected.jsonl"};
    HG_TRY(const auto pseudonyms, choose_pseudonyms(folder, out, options.address_key));
    bar.note("reading");
    auto raw = read_any(
        folder,
        {.max_bad = options.max_bad,
         .on_rejected = [&](const RejectedRow& row) { rejected.write(row); },
         .pseudonyms = &pseudonyms}
    );
    if (!raw) {
        const auto plain = out.has_filename() ? out : out.parent_path();
        rejected.move_to(fs::path{plain.string() + ".rejected.jsonl"});
        return std::unexpected(raw.error());
    }
    rejected.close();
    report.read = std::move(raw->report);
    report.read_seconds = watch.seconds();
    bar.note("filtering");
    bar.advance();
    auto filters = options.filters;
    const auto kind = raw->data.time_kind;
    if (!options.since.empty()) {
        HG_TRY(filters.since, parse_bound(options.since, kind, "since"));
    }
    if (!options.until.empty()) {
        HG_TRY(filters.until, parse_bound(options.until, kind, "until"));
    }
    auto data = std::move(raw->data);
    if (!filters.is_empty()) {
        auto filtered = filter_dataset(std::move(data), filters);
        data = std::move(filtered.data);
        report.filters = std::move(filtered.steps);
        report.users_dropped = filtered.users_dropped;
        report.items_dropped = filtered.items_dropped;
    }
    bar.note("writing");
    bar.advance();
    report.summary = summarise(data);
    const nlohmann::json notes{
        {"summary", to_json(report.summary)},
        {"rejected", rejected_json(report)},
        {"filters", filters_json(report)},
        {"source_files", report.read.files},
        {"left_out", report.read.left_out},
    };
    write_binary_dataset(data, transaction.folder(), notes);
    pseudonyms.save(address_key_of(transaction.folder()));
    transaction.commit();
    bar.advance();
    report.total_seconds = watch.seconds();
    return report;
}

nlohmann::json to_json(const IngestReport& report) {
    const auto rows = static_cast<double>(report.read.rows);
    return {
        {"summary", to_json(report.summary)},
        {"rows", report.read.rows},
        {"rejected", rejected_json(report)},
        {"filters", filters_json(report)},
        {"source_files", report.read.files},
        {"unused_columns", report.read.unused_columns},
        {"hashed_cells", report.read.hashed},
        {"left_out", report.read.left_out},
        {"read_seconds", report.read_seconds},
        {"total_seconds", report.total_seconds},
        {"rows_per_second", report.total_seconds > 0 ? rows / report.total_seconds : 0},
    };
}

}  // namespace hg::data
