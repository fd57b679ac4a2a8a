// SPDX-License-Identifier: Apache-2.0
// A database of events with a flipped bit, or cut short, gives what was stored or a named error.
#include "core/file.hpp"
#include "core/rng.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "support/append_events.hpp"
#include "support/effort.hpp"
#include "support/flips.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>

namespace hg::data {
namespace {

using Folder = testing_support::TemporaryFolder;

constexpr int n_users = 6;
constexpr int n_events = 150;

/// All that can be read of events: sequence number -> a line.
using Contents = std::map<std::int64_t, std::string>;

std::string user_name(int number) {
    return fmt::format("user-{}", number % n_users);
}

/// Each event is a transaction of its own.
void write_events(SqliteEventStore& store, int count) {
    for (int i = 0; i < count; ++i) {
        NewEvent event{
            .event_id = fmt::format("event-{}", i),
            .user_id = user_name(i),
            .item_id = fmt::format("item-{}", i % 17),
            .event = "click",
        };
        if (i % 3 == 0) {
            event.value = 0.25 * i;
        }
        if (i % 2 == 0) {
            event.timestamp = 1'700'000'000'000 + i;
        }
        (void)value_or_throw(append_events_and_wait(store, {event}, 1'700'000'000'000 + i));
    }
}

Result<Contents> read_database(const std::filesystem::path& file) {
    try {
        const SqliteEventStore store{{.file = file}};
        Contents contents;
        for (int u = 0; u < n_users; ++u) {
            const auto events =
                store.last_events(user_name(u), EventStore::all, EventStore::forever);
            if (!events) {
                return std::unexpected(events.error());
            }
            for (const auto& event : *events) {
                contents[event.sequence] = fmt::format(
                    "{} {} {} {}",
                    user_name(u),
                    event.timestamp,
                    event.body.event_id,
                    body_digest(event.body)
                );
            }
        }
        return contents;
    } catch (const Error& error) {
        return std::unexpected(error);
    }
}

class DamagedStore : public ::testing::Test {
  protected:
    void SetUp() override {
        {
            SqliteEventStore store{{.file = folder_ / "whole.db"}};
            write_events(store, n_events);
        }
        bytes_ = value_or_throw(read_file(folder_ / "whole.db"));
        contents_ = value_or_throw(read_database(folder_ / "whole.db"));
    }

    /// `log`: the write-ahead log beside the database; without one there is none.
    Result<Contents> read(const std::string& bytes, const std::string& log = {}) {
        for (const auto* end : {"", "-wal", "-shm"}) {
            std::filesystem::remove(folder_ / (std::string{"damaged.db"} + end));
        }
        std::ofstream{folder_ / "damaged.db", std::ios::binary} << bytes;
        if (!log.empty()) {
            std::ofstream{folder_ / "damaged.db-wal", std::ios::binary} << log;
        }
        return read_database(folder_ / "damaged.db");
    }

    Folder folder_;
    std::string bytes_;
    Contents contents_;
};

/// A database that was open when its machine stopped: its last events are in the write-ahead log.
class DamagedWriteAheadLog : public DamagedStore {
  protected:
    void SetUp() override {
        SqliteEventStore store{{.file = folder_ / "open.db"}};
        write_events(store, n_events / 5);
        bytes_ = value_or_throw(read_file(folder_ / "open.db"));
        log_ = value_or_throw(read_file(folder_ / "open.db-wal"));
        contents_ = value_or_throw(read(bytes_, log_));
        ASSERT_EQ(contents_.size(), n_events / 5);
    }

    /// What was stored up to some event, and nothing else.
    [[nodiscard]] bool is_beginning(const Contents& found) const {
        return found.size() <= contents_.size() &&
               std::equal(found.begin(), found.end(), contents_.begin());
    }

    std::string log_;
};

TEST_F(DamagedStore, a_flipped_bit_is_noticed_or_harmless) {
    Rng rng{23};
    std::size_t noticed = 0;
    std::size_t silent = 0;
    const auto flips = testing_support::effort("HG_BIT_FLIPS", 300);
    for (std::size_t i = 0; i < flips; ++i) {
        const auto found = read(testing_support::with_a_flipped_bit(bytes_, rng));
        if (!found) {
            ++noticed;
            EXPECT_FALSE(found.error().message().empty());
        } else if (*found != contents_) {
            ++silent;
            ADD_FAILURE() << "silent change by flip " << i;
        }
    }
    fmt::print("[figures] {} flips: {} noticed, {} silent\n", flips, noticed, silent);
}

TEST_F(DamagedStore, a_database_cut_short_is_noticed_or_whole) {
    for (std::size_t size = 0; size < bytes_.size(); size += 1 + bytes_.size() / 64) {
        const auto found = read(bytes_.substr(0, size));
        if (found) {
            EXPECT_TRUE(*found == contents_ || size == 0) << "silent change by a cut at " << size;
        }
    }
}

TEST_F(DamagedWriteAheadLog, a_flipped_bit_leaves_what_was_stored_before_it) {
    Rng rng{29};
    std::size_t named = 0;
    std::size_t shorter = 0;
    const auto flips = testing_support::effort("HG_BIT_FLIPS", 300);
    for (std::size_t i = 0; i < flips; ++i) {
        const auto found = read(bytes_, testing_support::with_a_flipped_bit(log_, rng));
        named += found ? 0 : 1;
        shorter += found && *found != contents_ ? 1 : 0;
        EXPECT_TRUE(!found || is_beginning(*found)) << "silent change by flip " << i;
    }
    fmt::print("[figures] {} flips of the log: {} named, {} shorter\n", flips, named, shorter);
}

TEST_F(DamagedWriteAheadLog, torn_in_its_last_records_it_leaves_what_was_stored_before_them) {
    constexpr std::size_t record = 24 + 4096;  // a header and a page
    const auto step = testing_support::effort("HG_TORN_EVERY", 131);
    std::size_t cuts = 0;
    auto fewest = contents_.size();
    for (auto size = log_.size() - 3 * record; size < log_.size(); size += step, ++cuts) {
        const auto found = read(bytes_, log_.substr(0, size));
        ASSERT_TRUE(found) << found.error().message();
        EXPECT_TRUE(is_beginning(*found)) << "silent change by a cut at " << size;
        fewest = std::min(fewest, found->size());
    }
    EXPECT_LT(fewest, contents_.size()) << "nothing was torn";
    fmt::print(
        "[figures] log torn at {} places of its last three records: {} of {} events left at the "
        "least\n",
        cuts,
        fewest,
        contents_.size()
    );
}

}  // namespace
}  // namespace hg::data
