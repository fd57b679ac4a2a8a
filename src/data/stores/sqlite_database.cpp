// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_database.hpp"

#include "core/error.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

namespace hg::data {
namespace {

constexpr int busy_timeout_ms = 5000;

/// SQLITE_STATIC without its C cast: the memory lives until reset().
const sqlite3_destructor_type borrowed = nullptr;

Error error_of(sqlite3* handle, std::string_view doing) {
    const int code = sqlite3_errcode(handle);
    const auto message = fmt::format("sqlite: {} while {}", sqlite3_errmsg(handle), doing);
    switch (code) {
        case SQLITE_FULL:
            return {ErrorCode::exhausted, message, "the disk is full: free space, then retry"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::unavailable, message, "another process holds the database"};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorCode::corrupt, message, "restore the database from a backup"};
        case SQLITE_CANTOPEN:
            return {ErrorCode::not_found, message, "does the folder exist, may we write to it?"};
        case SQLITE_IOERR:
        case SQLITE_READONLY:
            return {ErrorCode::unavailable, message, "look at the disk and its permissions"};
        case SQLITE_TOOBIG:
            return {ErrorCode::invalid_argument, message, "send smaller values"};
        default:
            return {ErrorCode::internal, message, {}};
    }
}

}  // namespace

void SqliteDatabase::Close::operator()(sqlite3* database) const noexcept {
    sqlite3_close_v2(database);
}

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file, const std::string& vfs) {
    constexpr int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    sqlite3* opened = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &opened, flags, vfs.empty() ? nullptr : vfs.c_str());
    handle_.reset(opened);
    if (code != SQLITE_OK) {
        throw error_of(opened, fmt::format("opening {}", file.string()));
    }
    sqlite3_busy_timeout(opened, busy_timeout_ms);
}

void SqliteDatabase::execute(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw error_of(handle_.get(), fmt::format("running {}", sql));
    }
}

std::int64_t SqliteDatabase::integer(const char* sql) {
    SqliteStatement statement{*this, sql};
    return statement.step() ? statement.integer(0) : 0;
}

std::int64_t SqliteDatabase::changes() const {
    return sqlite3_changes64(handle_.get());
}

std::int64_t SqliteDatabase::last_row_id() const {
    return sqlite3_last_insert_rowid(handle_.get());
}

bool SqliteDatabase::in_transaction() const {
    return sqlite3_get_autocommit(handle_.get()) == 0;
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

SqliteStatement::SqliteStatement(const SqliteDatabase& database, const char* sql) {
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v3(
            database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr
        ) != SQLITE_OK) {
        throw error_of(database.handle(), fmt::format("preparing {}", sql));
    }
    handle_.reset(prepared);
}

void SqliteStatement::bind(int index, std::string_view text) {
    sqlite3_bind_text64(
        handle_.get(), index, text.empty() ? "" : text.data(), text.size(), borrowed, SQLITE_UTF8
    );
}

void SqliteStatement::bind(int index, std::int64_t number) {
    sqlite3_bind_int64(handle_.get(), index, number);
}

void SqliteStatement::bind(int index, std::optional<double> number) {
    if (number) {
        sqlite3_bind_double(handle_.get(), index, *number);
    } else {
        sqlite3_bind_null(handle_.get(), index);
    }
}

void SqliteStatement::bind(int index, std::optional<std::int64_t> number) {
    if (number) {
        sqlite3_bind_int64(handle_.get(), index, *number);
    } else {
        sqlite3_bind_null(handle_.get(), index);
    }
}

void SqliteStatement::bind_optional(int index, std::string_view text) {
    if (text.empty()) {
        sqlite3_bind_null(handle_.get(), index);
    } else {
        bind(index, text);
    }
}

bool SqliteStatement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code == SQLITE_DONE) {
        return false;
    }
    auto error = error_of(
        sqlite3_db_handle(handle_.get()), fmt::format("running {}", sqlite3_sql(handle_.get()))
    );
    reset();
    throw error;
}

void SqliteStatement::reset() noexcept {
    sqlite3_reset(handle_.get());
}

void SqliteStatement::run() {
    step();
    reset();
}

std::string SqliteStatement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
    return bytes == nullptr ? std::string{} : std::string{bytes, size};
}

std::int64_t SqliteStatement::integer(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

double SqliteStatement::real(int column) const {
    return sqlite3_column_double(handle_.get(), column);
}

bool SqliteStatement::is_null(int column) const {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

}  // namespace hg::data
