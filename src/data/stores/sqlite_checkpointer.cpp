// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_checkpointer.hpp"

#include "core/log.hpp"

#include <sqlite3.h>

#include <chrono>
#include <optional>
#include <utility>

namespace hg::data {
namespace {

/// Where so many times the pages have gathered, commits come faster than they are copied: the
/// writer does it itself.
constexpr int too_long = 8;

/// Passes beside the writer; each copies what was written during the one before.
constexpr int most_passes = 4;

/// The part of the pages that the writer may be left with: a millisecond or two.
constexpr int small_part = 16;

/// After a copy that could not be whole (a long read, a full disk).
constexpr std::chrono::seconds pause{1};

struct Copied {
    int pages = 0;  // of the log, copied
    bool is_whole = false;
};

/// What no reader of an older state needs any more; nobody waits, nobody is held.
std::optional<Copied> copy(sqlite3* database) {
    int in_log = 0;
    int copied = 0;
    const auto status =
        sqlite3_wal_checkpoint_v2(database, nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
    if (status != SQLITE_OK) {
        log::debug("the log was not copied", {{"sqlite", sqlite3_errmsg(database)}});
        return std::nullopt;
    }
    return Copied{.pages = copied, .is_whole = copied == in_log};
}

}  // namespace

SqliteCheckpointer::SqliteCheckpointer(SqliteDatabase& writer, SqliteDatabase own, int pages)
    : writer_(writer), own_(std::move(own)), pages_(pages) {
    thread_ = std::jthread{[this](const std::stop_token& stop) { loop(stop); }};
    sqlite3_wal_hook(writer_.handle(), &committed, this);
}

SqliteCheckpointer::~SqliteCheckpointer() {
    sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
}

int SqliteCheckpointer::committed(void* self, sqlite3* writer, const char* /*name*/, int pages) {
    static_cast<SqliteCheckpointer*>(self)->after_commit(writer, pages);
    return SQLITE_OK;
}

void SqliteCheckpointer::after_commit(sqlite3* writer, int pages) {
    log_pages_ = pages;
    if (pages < pages_) {
        return;
    }
    if (rest_is_left_.exchange(false) || pages >= too_long * pages_) {
        const std::scoped_lock lock{copying_};
        const auto copied = copy(writer);
        if (copied && copied->is_whole) {
            return finish();
        }
    }
    {
        const std::scoped_lock lock{mutex_};
        is_due_ = true;
    }
    wake_.notify_one();
}

void SqliteCheckpointer::finish() {
    rest_is_left_ = false;
    {
        const std::scoped_lock lock{mutex_};
        is_due_ = false;
    }
    wake_.notify_one();
}

void SqliteCheckpointer::copy_beside() {
    const std::scoped_lock lock{copying_};
    for (int pass = 0; pass < most_passes; ++pass) {
        const auto copied = copy(own_.handle());
        if (!copied) {
            return;
        }
        if (copied->is_whole) {
            return finish();
        }
        if (log_pages_ - copied->pages <= pages_ / small_part) {
            break;
        }
    }
    rest_is_left_ = true;
}

void SqliteCheckpointer::loop(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (wake_.wait(lock, stop, [this] { return is_due_; }) && !stop.stop_requested()) {
        lock.unlock();
        copy_beside();
        lock.lock();
        (void)wake_.wait_for(lock, stop, pause, [this] { return !is_due_; });
    }
}

}  // namespace hg::data
