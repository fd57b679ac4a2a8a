// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_writer.hpp"

#include "core/clock.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <latch>

namespace hg::data {
namespace {

// Bounds the memory and the time of one transaction; the rest waits for the next one.
constexpr std::size_t max_jobs_per_group = 4096;

}  // namespace

SqliteWriter::SqliteWriter(SqliteDatabase& database, std::chrono::milliseconds patience)
    : database_(database), patience_(patience), thread_([this] { loop(); }) {}

SqliteWriter::~SqliteWriter() {
    {
        const std::scoped_lock lock{mutex_};
        is_stopping_ = true;
    }
    wake_.notify_one();
}

void SqliteWriter::push(Job job, Urgency urgency) {
    bool wake = false;
    {
        const std::scoped_lock lock{mutex_};
        wake = urgency == Urgency::now ? !is_urgent_ : waiting_.empty();
        is_urgent_ = is_urgent_ || urgency == Urgency::now;
        waiting_.push_back(std::move(job));
    }
    if (wake) {
        wake_.notify_one();
    }
}

void SqliteWriter::flush() {
    std::latch done{1};
    push(
        {.apply = [] {}, .finish = [&done](const Error* /*error*/) { done.count_down(); }},
        Urgency::now
    );
    done.wait();
}

SqliteWriter::Figures SqliteWriter::figures() const {
    const std::scoped_lock lock{mutex_};
    return figures_;
}

void SqliteWriter::loop() {
    std::unique_lock lock{mutex_};
    while (true) {
        wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
        wake_.wait_for(lock, patience_, [this] { return is_stopping_ || is_urgent_; });
        if (waiting_.empty()) {
            if (is_stopping_) {
                return;
            }
            continue;
        }
        const auto count = std::min(waiting_.size(), max_jobs_per_group);
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
        std::vector<Job> group{
            std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end)
        };
        waiting_.erase(waiting_.begin(), end);
        is_urgent_ = !waiting_.empty();  // what is left has waited long enough
        lock.unlock();
        const Stopwatch watch;
        run_group(group);
        group.clear();
        lock.lock();
        figures_.commits += 1;
        figures_.jobs += count;
        figures_.seconds += watch.seconds();
    }
}

void SqliteWriter::run_group(std::vector<Job>& jobs) {
    const auto failure = try_commit(jobs, 0, jobs.size());
    if (!failure) {
        for (auto& job : jobs) {
            job.finish(nullptr);
        }
        return;
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto alone = jobs.size() == 1 ? failure : try_commit(jobs, i, 1);
        jobs[i].finish(alone ? &*alone : nullptr);
        if (alone) {
            const std::scoped_lock lock{mutex_};
            figures_.failures += 1;
        }
    }
}

std::optional<Error> SqliteWriter::try_commit(
    std::vector<Job>& jobs, std::size_t first, std::size_t count
) {
    std::optional<Error> failure;
    try {
        database_.execute("BEGIN IMMEDIATE");
        for (std::size_t i = first; i < first + count; ++i) {
            jobs[i].apply();
        }
        database_.execute("COMMIT");
        return failure;
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& error) {
        failure = Error{ErrorCode::internal, error.what()};
    }
    try {
        if (database_.in_transaction()) {
            database_.execute("ROLLBACK");
        }
    } catch (const Error&) {
        // The next BEGIN reports it again; the first failure is the one to tell.
        return failure;
    }
    return failure;
}

}  // namespace hg::data
