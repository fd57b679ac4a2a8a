// SPDX-License-Identifier: Apache-2.0
// InteractionReader: interaction files -> events with dense ids, types, weights and times.
//
//   InteractionReader reader{config, users, items, rejections};
//   if (auto done = reader.read("interactions.csv", *rows); !done) { ... }
//   EventsRead read = std::move(reader).finish();
#pragma once

#include "core/error.hpp"
#include "data/column_names.hpp"
#include "data/dataset.hpp"
#include "data/dataset_config.hpp"
#include "data/id_map.hpp"
#include "data/interaction_log.hpp"
#include "data/rejected.hpp"
#include "data/row_reader.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

struct EventsRead {
    std::vector<Interaction> events;  // in file order
    std::vector<EventType> types;     // index 0 = the commonest with a positive weight
    TimeKind time_kind = TimeKind::none;
    std::size_t rows = 0;  // good and bad
    std::vector<std::string> unused_columns;
};

/// Which column plays which role; index = Role.
using RoleColumns = std::array<std::optional<std::size_t>, all_roles.size()>;

/// By name, or as dataset.toml says; fails when it names a column that cannot come any more.
[[nodiscard]] Result<RoleColumns> find_roles(
    const std::filesystem::path& path, const RowReader& rows, const DatasetConfig& config
);

class InteractionReader {
  public:
    /// All arguments outlive the reader.
    InteractionReader(
        const DatasetConfig& config, IdMap& users, IdMap& items, Rejections& rejections
    );

    /// Fails when the file cannot be used at all, or when too many rows are bad.
    [[nodiscard]] Result<void> read(const std::filesystem::path& path, RowReader& rows);
    [[nodiscard]] EventsRead finish() &&;

  private:
    enum class TimeText : std::uint8_t { unknown, number, iso };

    struct Complaint {
        std::string reason;
        std::string problem;
        std::string advice;
    };

    [[nodiscard]] Result<void> bind(const std::filesystem::path& path, const RowReader& rows);
    [[nodiscard]] Result<void> require(
        const std::filesystem::path& path, const RowReader& rows, Role role
    );
    /// Adds the event, or says what is wrong with the row.
    [[nodiscard]] std::optional<Complaint> take(const Row& row);
    [[nodiscard]] std::optional<Complaint> take_value(std::string_view cell, Interaction& event)
        const;
    [[nodiscard]] std::optional<Complaint> take_time(
        std::string_view cell, Interaction& event, double& raw
    );
    [[nodiscard]] std::optional<Complaint> take_propensity(
        std::string_view cell, Interaction& event
    ) const;
    [[nodiscard]] std::string_view cell(const Row& row, Role role) const;
    [[nodiscard]] const std::string& column_name(Role role) const;
    EventTypeId event_type(std::string_view name);
    TimeKind settle_times();
    void put_default_type_first();

    const DatasetConfig& config_;
    IdMap& users_;
    IdMap& items_;
    Rejections& rejections_;
    EventsRead out_;
    IdMap type_names_;
    IdMap session_names_;
    std::vector<double> raw_times_;  // numeric times as written, while the unit is not known
    TimeText time_text_ = TimeText::unknown;
    RoleColumns columns_;
    std::array<std::string, all_roles.size()> names_;
};

}  // namespace hg::data
