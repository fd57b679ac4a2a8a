// SPDX-License-Identifier: Apache-2.0
// SqliteWriter: group commit: one thread, one transaction for everything that waits.
//
// While a commit is on its way to the disk the next jobs gather; they share the next commit. A job
// that fails (a value too big) must not fail its neighbours: the group is rolled back and its jobs
// are run one by one.
//
// Nobody waits for a lazy job: it waits for company, and urgent ones go before it. A commit copies
// every page it touched into the log, so a hundred impressions in one cost a third of the bytes
// they cost in commits of ten.
#pragma once

#include "core/error.hpp"
#include "data/stores/sqlite_database.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace hg::data {

class SqliteWriter {
  public:
    /// `after_all`: now, and after every lazy job pushed before.
    enum class Urgency : std::uint8_t { now, after_all, lazy };

    struct Job {
        /// Inside the transaction, on the writer's thread; may run twice.
        std::function<void()> apply;
        std::function<void(const Error*)> finish;  // after it: null = durable
    };

    struct Figures {
        std::uint64_t commits = 0;
        std::uint64_t jobs = 0;
        std::uint64_t failures = 0;
        double seconds = 0;
    };

    /// A lazy job waits for company for up to `patience`. The database outlives the writer.
    SqliteWriter(SqliteDatabase& database, std::chrono::milliseconds patience);
    SqliteWriter(const SqliteWriter&) = delete;
    SqliteWriter& operator=(const SqliteWriter&) = delete;
    SqliteWriter(SqliteWriter&&) = delete;
    SqliteWriter& operator=(SqliteWriter&&) = delete;
    /// Runs what waits, then stops.
    ~SqliteWriter();

    void push(Job job, Urgency urgency);
    /// Blocks until everything pushed before is finished.
    void flush();

    [[nodiscard]] Figures figures() const;

  private:
    void loop();
    /// What the next commit holds. With the lock held.
    [[nodiscard]] std::vector<Job> next_group();
    void run_group(std::vector<Job>& jobs);
    [[nodiscard]] std::optional<Error> try_commit(
        std::vector<Job>& jobs, std::size_t first, std::size_t count
    );

    SqliteDatabase& database_;
    std::chrono::milliseconds patience_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> urgent_;
    std::deque<Job> lazy_;
    std::chrono::steady_clock::time_point lazy_due_;  // while lazy_ holds some
    bool is_stopping_ = false;
    Figures figures_;
    std::jthread thread_;
};

}  // namespace hg::data
