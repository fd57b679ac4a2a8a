// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_checkpointer.hpp"

#include "core/log.hpp"

#include <sqlite3.h>

#include <chrono>
#include <utility>

namespace hg::data {
namespace {

/// For the writer between two of its commits, and for a reader of an old state: it is held that long at most.
constexpr int patience_ms = 20;

/// Where so many times the pages have gathered, commits come faster than they are copied: the writer does it itself.
constexpr int too_long = 8;

/// After a copy that could not be whole (a long read, a full disk).
constexpr std::chrono::seconds pause{1};

bool copy(sqlite3* database, int mode) {
    return sqlite3_wal_checkpoint_v2(database, nullptr, mode, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace

SqliteCheckpointer::SqliteCheckpointer(SqliteDatabase& writer, SqliteDatabase own, int pages)
    : writer_(writer), own_(std::move(own)), pages_(pages) {
    sqlite3_busy_timeout(own_.handle(), patience_ms);
    thread_ = std::jthread{[this](const std::stop_token& stop) { loop(stop); }};
    sqlite3_wal_hook(writer_.handle(), &committed, this);
}

SqliteCheckpointer::~SqliteCheckpointer() {
    sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
}

int SqliteCheckpointer::committed(void* self, sqlite3* writer, const char* /*name*/, int pages) {
    auto& own = *static_cast<SqliteCheckpointer*>(self);
    if (pages >= own.pages_) {
        {
            const std::scoped_lock lock{own.mutex_};
            own.is_due_ = true;
        }
        own.wake_.notify_one();
    }
    if (pages >= too_long * own.pages_) {
        const std::scoped_lock lock{own.copying_};
        (void)copy(writer, SQLITE_CHECKPOINT_PASSIVE);
    }
    return SQLITE_OK;
}

bool SqliteCheckpointer::copy_whole() {
    const std::scoped_lock lock{copying_};
    const bool is_whole = copy(own_.handle(), SQLITE_CHECKPOINT_PASSIVE) &&
                          copy(own_.handle(), SQLITE_CHECKPOINT_FULL);
    if (!is_whole) {
        log::debug("the log was not copied whole", {{"sqlite", sqlite3_errmsg(own_.handle())}});
    }
    return is_whole;
}

void SqliteCheckpointer::loop(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (wake_.wait(lock, stop, [this] { return is_due_; })) {
        lock.unlock();
        const bool is_whole = copy_whole();
        lock.lock();
        if (!is_whole) {
            (void)wake_.wait_for(lock, stop, pause, [] { return false; });
        }
        is_due_ = false;
    }
}

}  // namespace hg::data
