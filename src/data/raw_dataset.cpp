// SPDX-License-Identifier: Apache-2.0
#include "data/raw_dataset.hpp"

#include "data/dataset_config.hpp"
#include "data/hidden_rows.hpp"
#include "data/raw_files.hpp"
#include "data/read_fields.hpp"
#include "data/read_interactions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hg::data {
namespace {

/// What reading one folder carries along.
struct Reading {
    const ReadOptions& options;
    ReadReport& report;
    ImportContext context{};
};

Error addresses_refused(const TableSource& source, const HiddenCells& hidden) {
    const auto file = source.path.filename().string();
    return {
        ErrorCode::invalid_argument,
        fmt::format(
            "{}:{}: {} holds an e-mail address, and a raw folder has no key to hash it with",
            file,
            hidden.first_line,
            hidden.columns.begin()->first
        ),
        "run `honeyguide ingest DIR --out DATASET` and use that dataset: addresses are hashed there"
    };
}

/// Files of a table through a reader of its rows.
template <typename Reader>
Result<void> read_all(Reader& reader, const std::vector<TableSource>& sources, Reading& reading) {
    for (const auto& source : sources) {
        HG_TRY(const auto rows, open_source(source, reading.context));
        HiddenCells hidden;
        const auto cells = source.importer == nullptr ? CellOrigin::row_text : CellOrigin::anywhere;
        HiddenRows safe{*rows, {source.kind, cells}, reading.options.pseudonyms, hidden};
        if (auto read = reader.read(source.path, safe); !read) {
            return read;
        }
        if (reading.options.pseudonyms == nullptr && !hidden.columns.empty()) {
            return std::unexpected(addresses_refused(source, hidden));
        }
        for (const auto& [column, count] : hidden.columns) {
            const auto file = source.path.filename().string();
            reading.report.hashed[fmt::format("{}: {}", file, column)] += count;
        }
    }
    return {};
}

Result<Catalogue> read_catalogue(
    FieldReader reader, const std::vector<TableSource>& sources, Reading& reading
) {
    if (auto read = read_all(reader, sources, reading); !read) {
        return std::unexpected(read.error());
    }
    return std::move(reader).finish();
}

/// What the importers know of their events, where dataset.toml is silent.
void add_event_weights(const RawFiles& files, DatasetConfig& config) {
    if (config.default_weight) {
        return;  // it named the ones that count
    }
    for (const auto& source : files.sources) {
        if (source.importer == nullptr) {
            continue;
        }
        for (const auto& event : source.importer->events) {
            config.weights.emplace(event.name, event.weight);
        }
    }
}

std::string folder_name(const std::filesystem::path& folder) {
    auto plain = std::filesystem::absolute(folder).lexically_normal();
    if (!plain.has_filename()) {
        plain = plain.parent_path();
    }
    return plain.filename().string();
}

}  // namespace

Result<RawDataset> read_raw_dataset(
    const std::filesystem::path& folder, const ReadOptions& options
) {
    HG_TRY(auto config, load_dataset_config(folder));
    HG_TRY(const auto files, find_raw_files(folder, config.importers));
    add_event_weights(files, config);
    Rejections rejections{options.max_bad, options.on_rejected};
    RawDataset raw;
    Reading reading{.options = options, .report = raw.report};
    if (auto learned = learn_references(files, reading.context); !learned) {
        return std::unexpected(learned.error());
    }
    auto& data = raw.data;
    InteractionReader reader{config, data.users, data.items, rejections};
    if (auto done = read_all(reader, files.of(TableKind::interactions), reading); !done) {
        return std::unexpected(done.error());
    }
    auto read = std::move(reader).finish();
    if (read.events.empty() && read.rows > 0) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: none of {} rows can be used; the first: {}",
                folder.string(),
                read.rows,
                rejections.examples().empty() ? "" : rejections.examples().front()
            ),
            "mend the file"
        );
    }
    HG_TRY(
        data.item_fields,
        read_catalogue(
            FieldReader{Role::item, config.items, data.items, rejections},
            files.of(TableKind::items),
            reading
        )
    );
    HG_TRY(
        data.user_fields,
        read_catalogue(
            FieldReader{Role::user, config.users, data.users, rejections},
            files.of(TableKind::users),
            reading
        )
    );
    data.name = config.name.empty() ? folder_name(folder) : config.name;
    data.event_types = std::move(read.types);
    data.time_kind = read.time_kind;
    data.repeats_count = config.repeats;
    data.log =
        InteractionLog::from_events(std::move(read.events), data.users.size(), data.items.size());
    data.hash = content_hash(data);
    for (const auto& source : files.sources) {
        const auto name = source.path.filename().string();
        if (std::ranges::find(raw.report.files, name) == raw.report.files.end()) {
            raw.report.files.push_back(name);
        }
    }
    raw.report.left_out = reading.context.left_out();
    raw.report.rows = read.rows;
    raw.report.rejected = rejections.count();
    raw.report.reasons = rejections.reasons();
    raw.report.examples = rejections.examples();
    raw.report.unused_columns = std::move(read.unused_columns);
    return raw;
}

}  // namespace hg::data
