// SPDX-License-Identifier: Apache-2.0
// SqliteCheckpointer: copies the write-ahead log into the database beside the writer, so that no commit waits for it.
//
// SQLite's own checkpoint runs inside the commit that makes the log too long: thousands of pages written and
// synced, 4 to 12 ms in which every event waits. Here a second connection copies what stands in the log while the writer
// goes on appending (SQLite lets one checkpoint and one writer work side by side), and then, with the writer held
// for the moment that the few pages since take, all of it: only a log that is copied whole is begun anew. Where commits come faster than
// they can be copied, the writer does it itself, as SQLite would.
#pragma once

#include "data/stores/sqlite_database.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

struct sqlite3;

namespace hg::data {

class SqliteCheckpointer {
  public:
    /// Copies by `own`, another connection to the database of `writer`, whenever a commit leaves the log `pages` long or
    /// longer. The writer outlives it.
    SqliteCheckpointer(SqliteDatabase& writer, SqliteDatabase own, int pages);
    SqliteCheckpointer(const SqliteCheckpointer&) = delete;
    SqliteCheckpointer& operator=(const SqliteCheckpointer&) = delete;
    SqliteCheckpointer(SqliteCheckpointer&&) = delete;
    SqliteCheckpointer& operator=(SqliteCheckpointer&&) = delete;
    ~SqliteCheckpointer();

  private:
    static int committed(void* self, sqlite3* writer, const char* name, int pages);
    void loop(const std::stop_token& stop);
    bool copy_whole();

    SqliteDatabase& writer_;
    SqliteDatabase own_;
    int pages_;
    std::mutex copying_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool is_due_ = false;
    std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace hg::data
