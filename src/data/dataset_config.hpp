// SPDX-License-Identifier: Apache-2.0
// DatasetConfig: what dataset.toml says about a raw folder; docs/formats/dataset.md is its
// reference.
//
// Everything is optional: without the file, columns are recognised by name, every event weighs 1.0
// (a known refusal such as "dislike" excepted) and the kind of time is judged by its size.
#pragma once

#include "core/error.hpp"
#include "data/catalogue.hpp"
#include "data/column_names.hpp"
#include "data/dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace hg::data {

/// Whether exports of other programs are known by their columns, or every table is read as one of
/// ours.
enum class Importers : std::uint8_t { by_columns, none };

enum class TimeUnit : std::uint8_t { seconds, milliseconds, microseconds };

/// How a column of items or users is read; nothing = typed by looking.
struct FieldRule {
    std::optional<FieldKind> kind;
    bool is_ignored = false;
};

/// What the [items] or [users] table says.
struct TableConfig {
    std::string id;                           // column of the id; empty = recognised by name
    std::map<std::string, FieldRule> fields;  // by column name
};

struct DatasetConfig {
    std::string name;                   // empty = the folder's name
    std::optional<TimeKind> time;       // nothing = judged by looking
    std::optional<TimeUnit> time_unit;  // nothing = judged by size
    bool repeats = false;
    Importers importers = Importers::by_columns;  // whether exports are known by their columns
    std::map<Role, std::string> columns;   // of the interactions; absent = recognised by name
    std::map<std::string, float> weights;  // of event types
    std::optional<float> default_weight;   // of event types not in `weights`
    std::optional<std::set<std::string>> purchases;  // event types; nothing = known by name
    std::optional<float> rating_threshold;           // below it an event weighs `rating_below`
    float rating_below = 0;
    TableConfig items;
    TableConfig users;

    /// The weight of an event type under this configuration.
    [[nodiscard]] float weight_of(std::string_view event_type) const;

    /// Whether such an event is a purchase: listed, or without a list known by its name
    /// (purchase, buy, order, transaction, checkout and their like).
    [[nodiscard]] bool is_purchase(std::string_view event_type) const;
};

/// 1, but -1 for names of refusals (dislike, thumbs_down, report, ...) and 0 for names that say
/// only that an item was shown or passed over (skip, impression, ...).
[[nodiscard]] float default_event_weight(std::string_view event_type);

/// Unknown keys and wrong types are refused with file:line:column; `name` appears in errors.
[[nodiscard]] Result<DatasetConfig> parse_dataset_config(
    std::string_view toml, std::string_view name
);

/// The folder's dataset.toml, or the defaults when it has none.
[[nodiscard]] Result<DatasetConfig> load_dataset_config(const std::filesystem::path& folder);

}  // namespace hg::data
