// SPDX-License-Identifier: Apache-2.0
#include "data/raw_dataset.hpp"

#include "data/dataset_config.hpp"
#include "data/raw_files.hpp"
#include "data/read_fields.hpp"
#include "data/read_interactions.hpp"

#include <fmt/format.h>

#include <utility>

namespace hg::data {
namespace {

Result<Catalogue> read_catalogue(
    const std::vector<std::filesystem::path>& files,
    Role role,
    const TableConfig& config,
    IdMap& ids,
    Rejections& rejections
) {
    FieldReader reader{role, config, ids, rejections};
    for (const auto& file : files) {
        if (auto read = reader.read(file); !read) {
            return std::unexpected(read.error());
        }
    }
    return std::move(reader).finish();
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
    HG_TRY(const auto files, find_raw_files(folder));
    HG_TRY(const auto config, load_dataset_config(folder));
    Rejections rejections{options.max_bad, options.on_rejected};
    RawDataset raw;
    auto& data = raw.data;
    InteractionReader reader{config, data.users, data.items, rejections};
    for (const auto& file : files.interactions) {
        if (auto read = reader.read(file); !read) {
            return std::unexpected(read.error());
        }
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
        read_catalogue(files.items, Role::item, config.items, data.items, rejections)
    );
    HG_TRY(
        data.user_fields,
        read_catalogue(files.users, Role::user, config.users, data.users, rejections)
    );
    data.name = config.name.empty() ? folder_name(folder) : config.name;
    data.event_types = std::move(read.types);
    data.time_kind = read.time_kind;
    data.repeats_count = config.repeats;
    data.log =
        InteractionLog::from_events(std::move(read.events), data.users.size(), data.items.size());
    data.hash = content_hash(data);
    for (const auto* kind : {&files.interactions, &files.items, &files.users}) {
        for (const auto& file : *kind) {
            raw.report.files.push_back(file.filename().string());
        }
    }
    raw.report.rows = read.rows;
    raw.report.rejected = rejections.count();
    raw.report.reasons = rejections.reasons();
    raw.report.examples = rejections.examples();
    raw.report.unused_columns = std::move(read.unused_columns);
    return raw;
}

}  // namespace hg::data
