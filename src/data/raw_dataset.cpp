// SPDX-License-Identifier: Apache-2.0
#include "data/raw_dataset.hpp"

#include "data/dataset_config.hpp"
#include "data/raw_files.hpp"
#include "data/read_fields.hpp"
#include "data/read_interactions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hg::data {
namespace {

/// Files of a table through a reader of its rows.
template <typename Reader>
Result<void> read_all(
    Reader& reader, const std::vector<TableSource>& sources, ImportContext& context
) {
    for (const auto& source : sources) {
        HG_TRY(const auto rows, open_source(source, context));
        if (auto read = reader.read(source.path, *rows); !read) {
            return read;
        }
    }
    return {};
}

Result<Catalogue> read_catalogue(
    FieldReader reader, const std::vector<TableSource>& sources, ImportContext& context
) {
    if (auto read = read_all(reader, sources, context); !read) {
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
    ImportContext context;
    if (auto learned = learn_references(files, context); !learned) {
        return std::unexpected(learned.error());
    }
    Rejections rejections{options.max_bad, options.on_rejected};
    RawDataset raw;
    auto& data = raw.data;
    InteractionReader reader{config, data.users, data.items, rejections};
    if (auto done = read_all(reader, files.of(TableKind::interactions), context); !done) {
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
            context
        )
    );
    HG_TRY(
        data.user_fields,
        read_catalogue(
            FieldReader{Role::user, config.users, data.users, rejections},
            files.of(TableKind::users),
            context
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
    raw.report.left_out = context.left_out();
    raw.report.rows = read.rows;
    raw.report.rejected = rejections.count();
    raw.report.reasons = rejections.reasons();
    raw.report.examples = rejections.examples();
    raw.report.unused_columns = std::move(read.unused_columns);
    return raw;
}

}  // namespace hg::data
