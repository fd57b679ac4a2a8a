// SPDX-License-Identifier: Apache-2.0
// migrate: brings an event database to the schema this program knows, one numbered step after
// another.
//
// The version is PRAGMA user_version. A step is never edited after a release: add a new one.
#pragma once

#include "data/stores/sqlite_database.hpp"

namespace hg::data {

/// Throws Error{conflict} when the file was made by a newer program.
void migrate(SqliteDatabase& database);

/// The version migrate() ends at.
[[nodiscard]] int schema_version() noexcept;

}  // namespace hg::data
