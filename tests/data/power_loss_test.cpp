// SPDX-License-Identifier: Apache-2.0
// What was acknowledged survives a power cut at any write; and this test notices when the sync is
// taken out.
#include "core/rng.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "power_loss_vfs.hpp"
#include "support/append_events.hpp"
#include "support/effort.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace hg::data {
namespace {

using Synchronous = SqliteStoreOptions::Synchronous;

using Folder = testing_support::TemporaryFolder;

struct Found {
    int lost = 0;
    int phantom = 0;
    bool is_unreadable = false;
};

NewEvent event(int number) {
    return {
        .event_id = fmt::format("e{}", number),
        .user_id = "u",
        .item_id = fmt::format("i{}", number % 7),
        .event = "click",
        .context = std::string(static_cast<std::size_t>(number % 5) * 400, 'x'),
    };
}

/// Writes until the power goes, then opens what is left.
Found cut_once(std::uint64_t seed, Synchronous synchronous) {
    const Folder before;
    const Folder after;
    Rng rng{seed};
    testing_support::PowerLossVfs vfs{seed, 20 + rng.below(400)};
    std::set<std::string> acknowledged;
    std::set<std::string> sent;
    {
        SqliteEventStore store{
            {.file = before / "events.db",
             .synchronous = synchronous,
             .vfs = vfs.name(),
             .checkpoint_pages = 12}  // cuts fall into checkpoints too
        };
        for (int i = 0; i < 60 && !vfs.is_cut(); ++i) {
            const auto next = event(i);
            sent.insert(next.event_id);
            const auto outcome = append_events_and_wait(store, {next}, 1);
            if (outcome && !vfs.is_cut()) {
                acknowledged.insert(next.event_id);
            }
        }
        vfs.cut();
    }
    vfs.write_image(after.path());
    Found found;
    try {
        const SqliteEventStore store{{.file = after / "events.db"}};
        for (const auto& row :
             value_or_throw(store.last_events("u", EventStore::all, EventStore::forever))) {
            acknowledged.erase(row.body.event_id);
            found.phantom += sent.erase(row.body.event_id) == 0 ? 1 : 0;
        }
        found.lost = static_cast<int>(acknowledged.size());
    } catch (const Error&) {
        found.is_unreadable = true;
    }
    return found;
}

TEST(PowerLoss, loses_no_acknowledged_event_and_invents_none) {
    for (std::uint64_t seed = 0; seed < testing_support::effort("HG_POWER_CUTS", 200); ++seed) {
        const auto found = cut_once(seed, Synchronous::full);
        ASSERT_FALSE(found.is_unreadable) << "seed " << seed;
        ASSERT_EQ(found.lost, 0) << "seed " << seed;
        ASSERT_EQ(found.phantom, 0) << "seed " << seed;
    }
}

TEST(PowerLoss, the_test_itself_fails_when_the_sync_is_taken_out) {
    int bad = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const auto found = cut_once(seed, Synchronous::off);
        bad += found.lost > 0 || found.is_unreadable ? 1 : 0;
    }
    EXPECT_GE(bad, 20);
}

}  // namespace
}  // namespace hg::data
