// SPDX-License-Identifier: Apache-2.0
// SqliteCheckpointer: copies the write-ahead log into the database beside the writer, so that no
// commit waits for it.
//
// SQLite's own checkpoint runs inside the commit that makes the log too long: thousands of pages
// written and synced, 4 to 12 ms in which every event waits. Here a second connection copies what
// stands in the log while the writer goes on appending (SQLite lets one checkpoint and one writer
// work side by side), again what was written meanwhile, and the few pages that are left then are
// copied by the writer after its next commit: only a log that is copied whole is begun anew. Where
// commits come faster than they can be copied, the writer does all of it itself, as SQLite would.
#pragma once

#include "data/stores/sqlite_database.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

struct sqlite3;

namespace hg::data {

class SqliteCheckpointer {
  public:
    /// Copies by `own`, another connection to the database of `writer`, whenever a commit leaves
    /// the log `pages` long or longer. The writer outlives it.
    SqliteCheckpointer(SqliteDatabase& writer, SqliteDatabase own, int pages);
    SqliteCheckpointer(const SqliteCheckpointer&) = delete;
    SqliteCheckpointer& operator=(const SqliteCheckpointer&) = delete;
    SqliteCheckpointer(SqliteCheckpointer&&) = delete;
    SqliteCheckpointer& operator=(SqliteCheckpointer&&) = delete;
    ~SqliteCheckpointer();

  private:
    static int committed(void* self, sqlite3* writer, const char* name, int pages);
    void after_commit(sqlite3* writer, int pages);
    void finish();
    void loop(const std::stop_token& stop);
    void copy_beside();

    SqliteDatabase& writer_;
    SqliteDatabase own_;
    int pages_;
    std::atomic<int> log_pages_ = 0;
    std::atomic<bool> rest_is_left_ = false;  // to the writer
    std::mutex copying_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool is_due_ = false;  // from a commit that makes the log too long until it is copied whole
    std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace hg::data
