// SPDX-License-Identifier: Apache-2.0
// SqliteDatabase and SqliteStatement: RAII over the SQLite C API, errors as hg::Error.
//
// One connection is used by one thread at a time. Text and blobs are bound without copying (the
// caller's memory must live until the next reset), read by copy.
//
//   SqliteStatement find{db, "SELECT fields FROM items WHERE item_id = ?"};
//   find.bind(1, id);
//   if (find.step()) { use(find.text(0)); }
//   find.reset();
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace hg::data {

class SqliteDatabase {
  public:
    /// `vfs`: name of a registered SQLite VFS, empty = the default one. Throws Error.
    explicit SqliteDatabase(const std::filesystem::path& file, const std::string& vfs = {});

    /// Runs statements without results.
    void execute(const char* sql);
    [[nodiscard]] std::int64_t integer(const char* sql);
    /// Rows changed by the last INSERT, UPDATE or DELETE.
    [[nodiscard]] std::int64_t changes() const;
    [[nodiscard]] std::int64_t last_row_id() const;
    /// True between BEGIN and COMMIT or ROLLBACK (SQLite rolls back by itself when the disk is
    /// full).
    [[nodiscard]] bool in_transaction() const;

    [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }

  private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };

    std::unique_ptr<sqlite3, Close> handle_;
};

class SqliteStatement {
  public:
    SqliteStatement(const SqliteDatabase& database, const char* sql);

    void bind(int index, std::string_view text);
    void bind(int index, std::int64_t number);
    void bind(int index, std::optional<double> number);
    void bind(int index, std::optional<std::int64_t> number);
    /// NULL when empty.
    void bind_optional(int index, std::string_view text);

    /// True: a row is there. Throws Error.
    bool step();
    void reset() noexcept;
    /// step() and reset() of a statement without rows.
    void run();

    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] bool is_null(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };

    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// Resets a statement when it goes out of scope, so that a read does not pin the log.
class SqliteReset {
  public:
    explicit SqliteReset(SqliteStatement& statement) : statement_(statement) {}

    SqliteReset(const SqliteReset&) = delete;
    SqliteReset& operator=(const SqliteReset&) = delete;
    SqliteReset(SqliteReset&&) = delete;
    SqliteReset& operator=(SqliteReset&&) = delete;

    ~SqliteReset() { statement_.reset(); }

  private:
    SqliteStatement& statement_;
};

}  // namespace hg::data
