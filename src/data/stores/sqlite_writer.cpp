// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_writer.hpp"

#include "core/clock.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <latch>
#include <utility>

namespace hg::data {
namespace {

// Bounds the memory and the time of one transaction; the rest waits for the next one.
constexpr std::size_t max_jobs_per_group = 4096;

// An urgent job may come while these are written: a few milliseconds at most.
constexpr std::size_t max_lazy_jobs_per_group = 64;

template <typename Job>
void move_first(std::deque<Job>& from, std::size_t count, std::vector<Job>& to) {
    const auto end = from.begin() + static_cast<std::ptrdiff_t>(std::min(count, from.size()));
    std::move(from.begin(), end, std::back_inserter(to));
    from.erase(from.begin(), end);
}

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
        if (urgency == Urgency::lazy) {
            wake = lazy_.empty();
            if (wake) {
                lazy_due_ = std::chrono::steady_clock::now() + patience_;
            }
            lazy_.push_back(std::move(job));
        } else {
            wake = urgent_.empty();
            if (urgency == Urgency::after_all) {
                std::ranges::move(lazy_, std::back_inserter(urgent_));
                lazy_.clear();
            }
            urgent_.push_back(std::move(job));
        }
    }
    if (wake) {
        wake_.notify_one();
    }
}

void SqliteWriter::flush() {
    std::latch done{1};
    push(
        {.apply = [] {}, .finish = [&done](const Error* /*error*/) { done.count_down(); }},
        Urgency::after_all
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
        wake_.wait(lock, [this] { return is_stopping_ || !urgent_.empty() || !lazy_.empty(); });
        if (urgent_.empty() && !lazy_.empty()) {
            const auto due = lazy_due_;
            wake_.wait_until(lock, due, [this] { return is_stopping_ || !urgent_.empty(); });
        }
        auto group = next_group();
        if (group.empty()) {
            if (is_stopping_) {
                return;
            }
            continue;
        }
        lock.unlock();
        const Stopwatch watch;
        run_group(group);
        const auto count = group.size();
        group.clear();
        lock.lock();
        figures_.commits += 1;
        figures_.jobs += count;
        figures_.seconds += watch.seconds();
    }
}

std::vector<SqliteWriter::Job> SqliteWriter::next_group() {
    std::vector<Job> group;
    move_first(urgent_, max_jobs_per_group, group);
    if (is_stopping_ || std::chrono::steady_clock::now() >= lazy_due_) {
        move_first(lazy_, max_lazy_jobs_per_group, group);
    }
    return group;
}

void SqliteWriter::run_group(std::vector<Job>& jobs) {
    const auto failure = try_commit(jobs, 0, jobs.size());
    if (!failure) {
        for (auto& job : jobs) {
            // What it holds goes before the next one's caller goes on, who may end what that needs.
            std::exchange(job, {}).finish(nullptr);
        }
        return;
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto alone = jobs.size() == 1 ? failure : try_commit(jobs, i, 1);
        std::exchange(jobs[i], {}).finish(alone ? &*alone : nullptr);
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
