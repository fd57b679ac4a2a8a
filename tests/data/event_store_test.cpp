// SPDX-License-Identifier: Apache-2.0
// Every EventStore behaves like maps in memory, across restarts; SQLite is the first.
#include "data/event_store.hpp"

#include "core/file.hpp"
#include "core/rng.hpp"
#include "data/stores/sqlite_database.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "support/append_events.hpp"
#include "support/effort.hpp"
#include "support/temporary_folder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <set>
#include <thread>
#include <tuple>

namespace hg::data {
namespace {

using Folder = testing_support::TemporaryFolder;

std::unique_ptr<SqliteEventStore> open(const Folder& folder) {
    return std::make_unique<SqliteEventStore>(SqliteStoreOptions{.file = folder / "events.db"});
}

NewEvent click(std::string id, std::string user, std::string item) {
    return {
        .event_id = std::move(id),
        .user_id = std::move(user),
        .item_id = std::move(item),
        .event = "click",
    };
}

EventStatus append(EventStore& store, const NewEvent& event, TimeMs arrival = 1000) {
    return value_or_throw(append_events_and_wait(store, {event}, arrival)).front().status;
}

template <typename T, typename Call>
Result<T> wait_for(Call call) {
    std::promise<Result<T>> promise;
    call([&promise](Result<T> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
}

std::vector<std::string> event_ids(const EventStore& store, std::string_view user) {
    std::vector<std::string> ids;
    for (const auto& event :
         value_or_throw(store.last_events(user, EventStore::all, EventStore::forever))) {
        ids.push_back(event.body.event_id);
    }
    return ids;
}

TEST(EventStore, an_acknowledged_event_is_read_back_with_every_field) {
    const Folder folder;
    const auto store = open(folder);
    NewEvent event = click("e1", "u1", "i1");
    event.value = 4.5;
    event.timestamp = 77;
    event.recommendation_id = "r1";
    event.position = 3;
    event.context = R"({"page":"home"})";

    EXPECT_EQ(append(*store, event), EventStatus::stored);

    const auto found = value_or_throw(store->last_events("u1", 10, EventStore::forever));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].timestamp, 77);
    EXPECT_EQ(found[0].body.event_id, "e1");
    EXPECT_EQ(found[0].body.value, 4.5);
    EXPECT_EQ(found[0].body.timestamp, 77);
    EXPECT_EQ(found[0].body.recommendation_id, "r1");
    EXPECT_EQ(found[0].body.position, 3);
    EXPECT_EQ(found[0].body.context, R"({"page":"home"})");
}

TEST(EventStore, the_same_body_again_is_a_duplicate_and_another_body_a_conflict) {
    const Folder folder;
    const auto store = open(folder);

    EXPECT_EQ(append(*store, click("e1", "u1", "i1"), 1000), EventStatus::stored);
    EXPECT_EQ(append(*store, click("e1", "u1", "i1"), 2000), EventStatus::duplicate);
    EXPECT_EQ(append(*store, click("e1", "u1", "i2"), 2000), EventStatus::conflict);

    EXPECT_EQ(event_ids(*store, "u1"), std::vector<std::string>{"e1"});
    EXPECT_EQ(value_or_throw(store->item("i1"))->n_events, 1);
    EXPECT_FALSE(value_or_throw(store->item("i2")));
}

TEST(EventStore, duplicates_and_conflicts_are_told_row_by_row_within_one_batch) {
    const Folder folder;
    const auto store = open(folder);

    const auto outcomes = value_or_throw(append_events_and_wait(
        *store,
        {click("a", "u", "i"), click("a", "u", "i"), click("a", "u", "j"), click("b", "u", "i")},
        5
    ));

    ASSERT_EQ(outcomes.size(), 4U);
    EXPECT_EQ(outcomes[0].status, EventStatus::stored);
    EXPECT_EQ(outcomes[1].status, EventStatus::duplicate);
    EXPECT_EQ(outcomes[1].sequence, outcomes[0].sequence);
    EXPECT_EQ(outcomes[2].status, EventStatus::conflict);
    EXPECT_EQ(outcomes[3].status, EventStatus::stored);
}

TEST(EventStore, events_come_in_order_of_time_then_arrival_and_the_future_stays_pending) {
    const Folder folder;
    const auto store = open(folder);
    auto at = [](std::string id, TimeMs time) {
        auto event = click(std::move(id), "u", "i");
        event.timestamp = time;
        return event;
    };

    append(*store, at("late", 300));
    append(*store, at("early", 100));
    append(*store, at("tie-1", 200));
    append(*store, at("tie-2", 200));
    append(*store, at("future", 9000));

    const auto now = value_or_throw(store->last_events("u", 3, 1000));
    ASSERT_EQ(now.size(), 3U);
    EXPECT_EQ(now[0].body.event_id, "tie-1");
    EXPECT_EQ(now[1].body.event_id, "tie-2");
    EXPECT_EQ(now[2].body.event_id, "late");
    EXPECT_EQ(event_ids(*store, "u").back(), "future");
}

TEST(EventStore, an_unknown_item_is_a_stub_until_it_is_put) {
    const Folder folder;
    const auto store = open(folder);
    append(*store, click("e1", "u1", "i1"));
    EXPECT_TRUE(value_or_throw(store->item("i1"))->is_stub);
    EXPECT_TRUE(value_or_throw(store->latest(5)).empty());

    value_or_throw(wait_for<void>([&](auto done) {
        store->put_item("i1", R"({"title":"One"})", 10, done);
    }));

    const auto item = value_or_throw(store->item("i1"));
    EXPECT_FALSE(item->is_stub);
    EXPECT_EQ(item->fields, R"({"title":"One"})");
    EXPECT_EQ(item->n_events, 1);
    EXPECT_EQ(value_or_throw(store->latest(5)).size(), 1U);
}

TEST(EventStore, a_deleted_item_is_neither_popular_nor_latest_and_put_revives_it) {
    const Folder folder;
    const auto store = open(folder);
    append(*store, click("e1", "u1", "i1"));
    value_or_throw(wait_for<void>([&](auto done) { store->put_item("i1", "{}", 10, done); }));

    EXPECT_TRUE(value_or_throw(wait_for<bool>([&](auto done) { store->delete_item("i1", 20, done); }
    )));
    EXPECT_FALSE(value_or_throw(wait_for<bool>([&](auto done) {
        store->delete_item("i1", 20, done);
    })));
    EXPECT_TRUE(value_or_throw(store->popular(5)).empty());
    EXPECT_TRUE(value_or_throw(store->latest(5)).empty());

    value_or_throw(wait_for<void>([&](auto done) { store->put_item("i1", "{}", 30, done); }));
    EXPECT_EQ(value_or_throw(store->popular(5)).size(), 1U);
}

TEST(EventStore, an_erased_user_leaves_only_a_tombstone_even_after_a_restart) {
    const Folder folder;
    {
        const auto store = open(folder);
        append(*store, click("e1", "canary-7261", "i1"));
        append(*store, click("e2", "other", "i1"));
        store->log_impression({.recommendation_id = "r1", .user_id = "canary-7261"});
        store->flush();
        EXPECT_EQ(
            value_or_throw(wait_for<EventStore::Erased>([&](auto d) {
                store->delete_user("canary-7261", 10, d);
            })),
            (std::vector<std::string>{"i1"})
        );
        store->log_impression({.recommendation_id = "r2", .user_id = "canary-7261"});
    }
    {
        const auto store = open(folder);
        EXPECT_TRUE(event_ids(*store, "canary-7261").empty());
        EXPECT_TRUE(value_or_throw(store->is_erased("canary-7261")));
        EXPECT_FALSE(value_or_throw(store->is_erased("other")));
        EXPECT_FALSE(value_or_throw(store->impression("r1")));
        EXPECT_EQ(value_or_throw(store->item("i1"))->n_events, 1);
    }
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
        const auto bytes = value_or_throw(hg::read_file(file.path()));
        EXPECT_EQ(bytes.find("canary-7261"), std::string::npos) << file.path();
    }
}

TEST(EventStore, a_slate_made_before_an_erasure_is_not_kept_and_one_after_it_is) {
    const Folder folder;
    const auto store = open(folder);
    (void)wait_for<EventStore::Erased>([&](auto done) { store->delete_user("u1", 10, done); });

    store->log_impression({.recommendation_id = "late", .user_id = "u1", .time = 10});
    store->log_impression({.recommendation_id = "of another", .user_id = "u2", .time = 10});
    store->log_impression({.recommendation_id = "came back", .user_id = "u1", .time = 11});
    store->flush();

    EXPECT_FALSE(value_or_throw(store->impression("late")));
    EXPECT_TRUE(value_or_throw(store->impression("of another")));
    EXPECT_TRUE(value_or_throw(store->impression("came back")));
}

TEST(EventStore, impressions_come_back_as_they_were) {
    const Folder folder;
    const auto store = open(folder);

    store->log_impression({
        .recommendation_id = "r1",
        .user_id = "u1",
        .time = 5,
        .model = "ease",
        .policy = "pl",
        .candidate_set = "abc",
        .candidates = "[]",
        .context = {},
        .propensity = 0.25,
        .is_deterministic = false,
        .slots = {{"i1", 2.0, 0.5}, {"i2", 1.0, 0.5}},
        .masks = R"({"seen":"allow"})",
        .last_event = 41,
        .wishes = R"({"traits":[]})",
    });
    store->flush();

    const auto impression = value_or_throw(store->impression("r1"));
    ASSERT_TRUE(impression);
    EXPECT_EQ(impression->slots.size(), 2U);
    EXPECT_EQ(impression->slots[1].item_id, "i2");
    EXPECT_EQ(impression->propensity, 0.25);
    EXPECT_EQ(impression->masks, R"({"seen":"allow"})");
    EXPECT_EQ(impression->last_event, 41);
    EXPECT_EQ(impression->wishes, R"({"traits":[]})");
}

TEST(EventStore, many_callers_share_commits_and_every_one_is_answered_once) {
    const Folder folder;
    const auto store = open(folder);
    constexpr int n_threads = 4;
    constexpr int n_each = 200;
    std::atomic<int> answers = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < n_threads; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < n_each; ++i) {
                    store->append_events(
                        {click(fmt::format("{}-{}", t, i), fmt::format("u{}", t), "i")},
                        1,
                        [&answers](const auto& outcome) { answers += outcome ? 1 : 0; }
                    );
                }
            });
        }
    }
    store->flush();

    EXPECT_EQ(answers, n_threads * n_each);
    EXPECT_EQ(value_or_throw(store->counts()).events, n_threads * n_each);
    EXPECT_LT(store->figures().commits, static_cast<std::uint64_t>(n_threads) * n_each);
    EXPECT_EQ(value_or_throw(store->events_by_type()).front().n_events, n_threads * n_each);
}

TEST(EventStore, an_answer_is_durable_with_the_impression_it_answers) {
    const Folder folder;
    const auto store = open(folder);
    store->log_impression({.recommendation_id = "r1", .user_id = "u1"});
    auto answer = click("e1", "u1", "i1");
    answer.recommendation_id = "r1";

    EXPECT_EQ(append(*store, answer), EventStatus::stored);

    EXPECT_TRUE(value_or_throw(store->impression("r1")));
}

TEST(EventStore, impressions_are_written_although_events_never_stop_coming) {
    const Folder folder;
    std::atomic<int> n_answered = 0;
    const auto store = open(folder);
    store->log_impression({.recommendation_id = "r1", .user_id = "u1"});
    const auto answered = [&n_answered](const auto&) { ++n_answered; };
    int n_sent = 0;

    while (!value_or_throw(store->impression("r1"))) {
        while (n_sent - n_answered < 100) {  // so that some always wait
            store->append_events({click(fmt::format("e{}", n_sent++), "u2", "i1")}, 1, answered);
        }
        ASSERT_LT(n_sent, 1'000'000);
    }
    store->flush();
}

std::uintmax_t size_of(const std::filesystem::path& file) {
    std::error_code absent;
    const auto size = std::filesystem::file_size(file, absent);
    return absent ? 0 : size;
}

/// Appends one event after the other; the largest log on the way.
std::uintmax_t longest_log(const Folder& folder, int checkpoint_pages) {
    SqliteEventStore store{{
        .file = folder / "events.db",
        .synchronous = SqliteStoreOptions::Synchronous::off,
        .checkpoint_pages = checkpoint_pages,
    }};
    std::uintmax_t longest = 0;
    for (int i = 0; i < 1500; ++i) {
        auto event = click(fmt::format("e{}", i), "u", "i");
        event.context = std::string(2000, 'x');
        EXPECT_EQ(append(store, event), EventStatus::stored);
        longest = std::max(longest, size_of(folder / "events.db-wal"));
    }
    return longest;
}

TEST(EventStore, the_log_is_copied_beside_the_writer_and_begun_anew) {
    const Folder copied;
    const Folder never;
    constexpr int at_the_end_only = 1'000'000;

    EXPECT_LT(longest_log(copied, 50), longest_log(never, at_the_end_only) / 4);
    EXPECT_EQ(event_ids(*open(copied), "u").size(), 1500);
}

TEST(EventStore, a_second_server_on_the_same_file_is_refused) {
    const Folder folder;
    const auto store = open(folder);
    EXPECT_THROW((void)open(folder), Error);
}

TEST(EventStore, a_database_of_a_newer_program_is_refused) {
    const Folder folder;
    {
        (void)open(folder);
    }
    {
        SqliteDatabase database{folder / "events.db"};
        database.execute("PRAGMA user_version = 999");
    }
    try {
        (void)open(folder);
        FAIL() << "opened a newer schema";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
    }
}

/// What the store must be equal to: plain maps.
struct Model {
    std::map<std::string, NewEvent> events;  // by event id
    /// (time, arrival, id)
    std::map<std::string, std::vector<std::tuple<TimeMs, int, std::string>>> users;
    std::map<std::string, std::string> items;  // fields of those put, kept when deleted
    std::set<std::string> deleted;
    std::set<std::string> erased;
    int arrivals = 0;
};

class RandomRun {
  public:
    explicit RandomRun(std::uint64_t seed) : rng_(seed), store_(open(folder_)) {}

    void step() {
        const auto choice = rng_.below(100);
        if (choice < 70) {
            append_one();
        } else if (choice < 80) {
            put_one();
        } else if (choice < 84) {
            delete_one();
        } else if (choice < 86) {
            erase_one();
        } else if (choice < 98) {
            check_user(name("u", 6));
        } else {
            store_.reset();
            store_ = open(folder_);
        }
    }

    void check_all() {
        for (int u = 0; u < 6; ++u) {
            check_user(fmt::format("u{}", u));
        }
        EXPECT_EQ(
            value_or_throw(store_->counts()).events, static_cast<std::int64_t>(model_.events.size())
        );
        for (const auto& [id, fields] : model_.items) {
            const auto item = value_or_throw(store_->item(id));
            EXPECT_EQ(item->fields, fields);
            EXPECT_EQ(item->is_deleted, model_.deleted.contains(id));
        }
        for (const auto& id : model_.erased) {
            EXPECT_TRUE(value_or_throw(store_->is_erased(id)));
        }
    }

  private:
    std::string name(const char* prefix, std::size_t n) {
        return fmt::format("{}{}", prefix, rng_.below(n));
    }

    void append_one() {
        auto event = click(name("e", 120), name("u", 6), name("i", 8));
        event.timestamp = static_cast<TimeMs>(rng_.below(40));
        const auto known = model_.events.find(event.event_id);
        const auto expected = known == model_.events.end() ? EventStatus::stored
                              : body_digest(known->second) == body_digest(event)
                                  ? EventStatus::duplicate
                                  : EventStatus::conflict;
        EXPECT_EQ(append(*store_, event), expected);
        if (expected != EventStatus::stored) {
            return;
        }
        model_.events.emplace(event.event_id, event);
        model_.users[event.user_id].emplace_back(
            *event.timestamp, model_.arrivals++, event.event_id
        );
    }

    void put_one() {
        const auto id = name("i", 8);
        const auto fields = fmt::format(R"({{"n":{}}})", rng_.below(9));
        value_or_throw(wait_for<void>([&](auto done) { store_->put_item(id, fields, 1, done); }));
        model_.items[id] = fields;
        model_.deleted.erase(id);
    }

    void delete_one() {
        const auto id = name("i", 8);
        (void)value_or_throw(wait_for<bool>([&](auto done) { store_->delete_item(id, 1, done); }));
        model_.items.try_emplace(id, "{}");
        model_.deleted.insert(id);
    }

    void erase_one() {
        const auto id = name("u", 6);
        (void)value_or_throw(wait_for<EventStore::Erased>([&](auto done) {
            store_->delete_user(id, 0, done);
        }));
        for (const auto& [time, arrival, event] : model_.users[id]) {
            model_.events.erase(event);
        }
        model_.users.erase(id);
        model_.erased.insert(id);
    }

    void check_user(const std::string& user) {
        auto expected = model_.users[user];
        std::ranges::sort(expected);
        std::vector<std::string> ids;
        for (const auto& [time, arrival, id] : expected) {
            ids.push_back(id);
        }
        EXPECT_EQ(event_ids(*store_, user), ids);
    }

    Folder folder_;
    Rng rng_;
    std::unique_ptr<SqliteEventStore> store_;
    Model model_;
};

TEST(EventStore, behaves_like_a_map_over_random_operations_and_restarts) {
    const auto seed = testing_support::effort("HG_RANDOM_SEED", 20240607);
    SCOPED_TRACE(fmt::format("HG_RANDOM_SEED={}", seed));
    RandomRun run{seed};
    const auto operations = testing_support::effort("HG_RANDOM_OPERATIONS", 1500);
    for (std::size_t i = 0; i < operations && !HasFailure(); ++i) {
        run.step();
    }
    run.check_all();
}

TEST(EventStore, a_forgotten_event_is_gone_for_good_and_its_item_counts_one_less) {
    const Folder folder;
    {
        const auto store = open(folder);
        append(*store, click("e1", "u1", "i1"));
        append(*store, click("e2", "u1", "i1"));
        const auto forget = [&](const std::string& user, const std::string& event) {
            return value_or_throw(wait_for<std::optional<std::string>>([&](auto done) {
                store->delete_event(user, event, done);
            }));
        };

        EXPECT_EQ(forget("u2", "e1"), std::nullopt) << "another user's event";
        EXPECT_EQ(forget("u1", "e1"), "i1");
        EXPECT_EQ(forget("u1", "e1"), std::nullopt);
    }
    const auto store = open(folder);
    EXPECT_EQ(event_ids(*store, "u1"), std::vector<std::string>{"e2"});
    EXPECT_EQ(value_or_throw(store->item("i1"))->n_events, 1);
}

TEST(EventStore, settings_are_replaced_whole_emptied_and_erased_with_the_user) {
    const Folder folder;
    const auto put = [&](EventStore& store, const std::string& text) {
        value_or_throw(wait_for<void>([&](auto done) {
            store.put_user_settings("u1", text, 1000, done);
        }));
    };
    {
        const auto store = open(folder);
        EXPECT_EQ(value_or_throw(store->user_settings("u1")), "");
        put(*store, R"({"a":1})");
        put(*store, R"({"a":2})");
    }
    const auto store = open(folder);
    EXPECT_EQ(value_or_throw(store->user_settings("u1")), R"({"a":2})");
    put(*store, "");
    EXPECT_EQ(value_or_throw(store->user_settings("u1")), "");
    put(*store, R"({"a":3})");
    EXPECT_TRUE(value_or_throw(wait_for<EventStore::Erased>([&](auto done) {
        store->delete_user("u1", 0, done);
    })));
    EXPECT_EQ(value_or_throw(store->user_settings("u1")), "");
}

TEST(EventStore, slots_are_told_with_what_became_of_them) {
    const Folder folder;
    const auto store = open(folder);
    store->log_impression({
        .recommendation_id = "r1",
        .user_id = "u1",
        .time = 500,
        .candidates = R"([["i1",2],["i2",1],["i3",0],["i4",-1]])",
        .propensity = 0.4,
        .slots =
            {{"i2", 1, 0.5}, {.item_id = "i4", .score = -1, .propensity = 0.8, .is_explored = true}
            },
    });
    store->flush();
    auto answer = click("e1", "u1", "i4");
    answer.recommendation_id = "r1";
    append(*store, answer);
    auto skipped = click("e2", "u1", "i2");
    skipped.event = "skip";
    skipped.recommendation_id = "r1";
    append(*store, skipped);

    const auto slots = value_or_throw(store->slot_outcomes(10, [](std::string_view event) {
        return event == "click";
    }));

    ASSERT_EQ(slots.size(), 2U);
    EXPECT_FALSE(slots[0].is_clicked);
    EXPECT_DOUBLE_EQ(slots[0].uniform, 1.0 / 4);
    EXPECT_TRUE(slots[1].is_clicked);
    EXPECT_DOUBLE_EQ(slots[1].uniform, 1.0 / 3);
    EXPECT_DOUBLE_EQ(slots[1].propensity, 0.8);
    EXPECT_EQ(slots[1].time, 500);
    const auto impression = value_or_throw(store->impression("r1"));
    EXPECT_FALSE(impression->slots[0].is_explored);
    EXPECT_TRUE(impression->slots[1].is_explored);
}

TEST(EventStore, a_database_of_the_first_version_is_brought_up_to_date_with_its_events) {
    const Folder folder;
    append(*open(folder), click("e1", "u1", "i1"));
    {
        SqliteDatabase database{folder / "events.db", ""};
        database.execute("DROP TABLE user_settings");
        database.execute("CREATE TABLE beliefs(user_id TEXT)");
        database.execute("DROP INDEX events_by_recommendation");
        for (const auto* column : {"masks", "last_event", "wishes"}) {
            database.execute(fmt::format("ALTER TABLE impressions DROP COLUMN {}", column).c_str());
        }
        database.execute("PRAGMA user_version = 1");
    }

    const auto store = open(folder);

    EXPECT_EQ(event_ids(*store, "u1"), std::vector<std::string>{"e1"});
    EXPECT_EQ(value_or_throw(store->user_settings("u1")), "");
}

}  // namespace
}  // namespace hg::data
