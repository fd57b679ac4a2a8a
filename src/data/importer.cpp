// SPDX-License-Identifier: Apache-2.0
#include "data/importer.hpp"

#include "data/column_names.hpp"

#include <algorithm>
#include <array>

namespace hg::data {

#define HG_IMPORTER(name) extern const ImporterEntry name;
#include "data/importers/builtin.def"
#undef HG_IMPORTER

namespace {

constexpr std::array table{
#define HG_IMPORTER(name) &name,
#include "data/importers/builtin.def"
#undef HG_IMPORTER
};

}  // namespace

std::span<const ImporterEntry* const> importers() {
    return table;
}

const ImporterEntry* recognise(const FileHead& head) {
    const auto has = [&](std::string_view wanted) {
        const auto plain = plain_name(wanted);
        const auto inside = std::string{wanted} + '.';  // {"Labels": {"genre": ...}}
        return std::ranges::any_of(head.columns, [&](const auto& column) {
            return plain_name(column) == plain || column.starts_with(inside);
        });
    };
    for (const auto* entry : importers()) {
        if (std::ranges::all_of(entry->needs, has)) {
            return entry;
        }
    }
    return nullptr;
}

std::span<const ColumnRule> rules_of(const ImporterEntry& entry, TableKind kind) {
    const auto found = std::ranges::find(entry.tables, kind, &TableRules::kind);
    return found == entry.tables.end() ? std::span<const ColumnRule>{} : found->columns;
}

}  // namespace hg::data
