// SPDX-License-Identifier: Apache-2.0
// A database of events with a flipped bit, or cut short, gives what was stored or a named error.
#include "core/file.hpp"
#include "core/rng.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "support/effort.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

namespace hg::data {
namespace {

using Folder = testing_support::TemporaryFolder;

constexpr int n_users = 6;
constexpr int n_events = 150;

/// All that can be read of events: user -> one line an event.
using Contents = std::map<std::string, std::string>;

std::string user_name(int number) {
    return fmt::format("user-{}", number % n_users);
}

void write_database(const std::filesystem::path& file) {
    SqliteEventStore store{{.file = file}};
    for (int i = 0; i < n_events; ++i) {
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
            auto& lines = contents[user_name(u)];
            const auto events =
                store.last_events(user_name(u), EventStore::all, EventStore::forever);
            if (!events) {
                return std::unexpected(events.error());
            }
            for (const auto& event : *events) {
                lines += fmt::format(
                    "{} {} {} {}\n",
                    event.sequence,
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
        write_database(folder_ / "whole.db");
        bytes_ = value_or_throw(read_file(folder_ / "whole.db"));
        contents_ = value_or_throw(read_database(folder_ / "whole.db"));
    }

    Result<Contents> read(const std::string& bytes) {
        for (const auto* end : {"", "-wal", "-shm"}) {
            std::filesystem::remove(folder_ / (std::string{"damaged.db"} + end));
        }
        std::ofstream{folder_ / "damaged.db", std::ios::binary} << bytes;
        return read_database(folder_ / "damaged.db");
    }

    Folder folder_;
    std::string bytes_;
    Contents contents_;
};

TEST_F(DamagedStore, a_flipped_bit_is_noticed_or_harmless) {
    Rng rng{23};
    std::size_t noticed = 0;
    std::size_t silent = 0;
    const auto flips = testing_support::effort("HG_BIT_FLIPS", 300);
    for (std::size_t i = 0; i < flips; ++i) {
        auto bytes = bytes_;
        const auto at = rng.below(bytes.size());
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << rng.below(8)));
        const auto found = read(bytes);
        if (!found) {
            ++noticed;
            EXPECT_FALSE(found.error().message().empty());
        } else if (*found != contents_) {
            ++silent;
            ADD_FAILURE() << "silent change by the flip at byte " << at;
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

}  // namespace
}  // namespace hg::data
