// SPDX-License-Identifier: Apache-2.0
// A server's database as a log: what is joined, what is left out and counted, what is refused.
#include "data/served_log.hpp"

#include "core/file.hpp"
#include "data/stores/sqlite_database.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "support/append_events.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <sstream>

namespace hg::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr TimeMs start = 1'700'000'000'000;
constexpr TimeMs window = 60'000;

/// "ann" has taken "old" before; a purchase is worth 3.
Dataset small_dataset() {
    Dataset dataset;
    dataset.name = "small";
    dataset.event_types = {
        {.name = "click", .weight = 1},
        {.name = "purchase", .weight = 3},
        {.name = "hide", .weight = -1}
    };
    for (const auto* item : {"old", "a", "b", "c"}) {
        dataset.items.intern(item);
    }
    dataset.users.intern("ann");
    dataset.log = InteractionLog::from_events({{.user = UserId{0}, .item = ItemId{0}}}, 1, 4);
    return dataset;
}

class ServedLogTest : public ::testing::Test {
  protected:
    void SetUp() override {
        store_ = std::make_unique<SqliteEventStore>(SqliteStoreOptions{.file = file()});
    }

    [[nodiscard]] std::filesystem::path file() const { return folder_ / "events.db"; }

    void show(
        const std::string& id, const std::string& user, TimeMs time, bool deterministic = false
    ) {
        store_->log_impression({
            .recommendation_id = id,
            .user_id = user,
            .time = time,
            .model = "als",
            .policy = "plackett_luce(epsilon=0.05,temperature=0.1,m=50)",
            .candidates = R"([["a",2.5],["b",1.25],["c",-0.5]])",
            .propensity = .125,
            .is_deterministic = deterministic,
            .slots = {{"a", 2.5, .5}, {"b", 1.25, .25}},
            .masks = R"({"exclude":["z"]})",
            .last_event = last_event_,
        });
    }

    void event(
        const std::string& user,
        const std::string& item,
        const std::string& type,
        TimeMs time,
        const std::string& answers = ""
    ) {
        const auto id = "e" + std::to_string(++n_events_);
        const auto outcome = value_or_throw(append_events_and_wait(
            *store_,
            {{.event_id = id,
              .user_id = user,
              .item_id = item,
              .event = type,
              .timestamp = time,
              .recommendation_id = answers}},
            time
        ));
        last_event_ = outcome.front().sequence;
    }

    [[nodiscard]] Result<ServedLog> read(ServedLogOptions options = {}) {
        store_->flush();
        options.window = window;
        return read_served_log(file(), dataset_, options);
    }

    std::string error_of(const ServedLogOptions& options = {}) {
        const auto served = read(options);
        return served ? "no error" : served.error().what() + (" " + served.error().hint());
    }

    testing_support::TemporaryFolder folder_;
    Dataset dataset_ = small_dataset();
    std::unique_ptr<SqliteEventStore> store_;
    std::int64_t last_event_ = 0;
    int n_events_ = 0;
};

TEST_F(ServedLogTest, a_decision_is_a_row_with_its_rewards_and_its_history) {
    event("ann", "c", "click", start - 10);
    show("r1", "ann", start);
    event("ann", "b", "click", start + 1, "r1");
    event("ann", "b", "click", start + 2, "r1");
    event("ann", "b", "purchase", start + window, "r1");
    event("ann", "a", "hide", start + 3, "r1");
    event("ann", "a", "purchase", start + window + 1, "r1");
    event("ann", "c", "click", start + 4, "r1");
    event("bob", "a", "click", start + 5, "r1");

    const auto served = value_or_throw(read());

    ASSERT_EQ(served.log.size(), 1U);
    const auto row = served.log.row(0);
    EXPECT_EQ(row.recommendation_id, "r1");
    EXPECT_EQ(row.user_id, "ann");
    EXPECT_EQ(row.timestamp, start);
    EXPECT_EQ(row.policy, "als plackett_luce(epsilon=0.05,temperature=0.1,m=50)");
    EXPECT_THAT(row.candidates, ElementsAre("a", "b", "c"));
    EXPECT_THAT(served.candidate_scores, ElementsAre(2.5F, 1.25F, -.5F));
    EXPECT_THAT(row.history, ElementsAre("old", "c")) << "no answer is in it";
    ASSERT_EQ(row.slots.size(), 2U);
    EXPECT_EQ(row.slots[0].reward, -1);
    EXPECT_EQ(row.slots[0].clicked, false) << "what is disliked is not clicked";
    EXPECT_EQ(row.slots[1].reward, 4) << "each type of event counts once: 1 + 3";
    EXPECT_EQ(row.slots[1].clicked, true);
    EXPECT_EQ(row.reward, 3);
    EXPECT_EQ(row.propensity, .125);
    EXPECT_EQ(served.masks[0], R"({"exclude":["z"]})");
    EXPECT_EQ(served.counts.answers, 4U);
    EXPECT_EQ(served.counts.late_answers, 1U);
    EXPECT_EQ(served.counts.other_answers, 1U);
    EXPECT_EQ(served.counts.foreign_answers, 1U);
}

TEST_F(ServedLogTest, what_was_known_is_what_the_server_says_it_knew) {
    event("ann", "a", "click", start - 5);
    show("r1", "ann", start);
    event("ann", "b", "click", start - 4);  // arrived after the decision, and late
    show("r2", "ann", start + 1);

    const auto served = value_or_throw(read());

    ASSERT_EQ(served.log.size(), 2U);
    EXPECT_EQ(served.known_events(0).size(), 1U);
    EXPECT_EQ(served.known_events(1).size(), 2U);
    EXPECT_EQ(served.known_events(1).back()->body.item_id, "b");
}

TEST_F(ServedLogTest, anonymous_erased_young_and_early_decisions_are_left_out_and_counted) {
    show("early", "ann", start - 1);
    show("used", "ann", start);
    show("anonymous", "", start);
    show("young", "ann", start + 10);
    std::promise<void> erased;
    store_->delete_user("eve", 0, [&](const Result<EventStore::Erased>&) { erased.set_value(); });
    erased.get_future().get();
    show("came back", "eve", start);
    store_->flush();

    const auto served = value_or_throw(read({.now = start + window + 5, .since = start}));

    EXPECT_THAT(served.log.recommendation_id, ElementsAre("used"));
    EXPECT_EQ(served.counts.decisions, 5U);
    EXPECT_EQ(served.counts.earlier, 1U);
    EXPECT_EQ(served.counts.anonymous, 1U);
    EXPECT_EQ(served.counts.young, 1U);
    EXPECT_EQ(served.counts.erased, 1U);
}

TEST_F(ServedLogTest, a_server_may_write_on_meanwhile) {
    show("r1", "ann", start);
    EXPECT_EQ(value_or_throw(read()).log.size(), 1U);
    show("r2", "ann", start + 1);
    EXPECT_EQ(value_or_throw(read()).log.size(), 2U);
}

TEST_F(ServedLogTest, a_deterministic_decision_is_refused_by_evaluation_and_kept_for_learning) {
    show("r1", "ann", start, true);

    EXPECT_THAT(
        error_of(),
        AllOf(
            HasSubstr("events.db: decision r1 (served by als plackett_luce"),
            HasSubstr("deterministic"),
            HasSubstr("epsilon > 0")
        )
    );
    const auto served = value_or_throw(read({.purpose = Purpose::learning}));
    EXPECT_EQ(served.counts.deterministic, 1U);
}

TEST_F(ServedLogTest, a_log_of_it_reads_back_equal) {
    show("r1", "ann", start);
    event("ann", "b", "click", start + 1, "r1");
    const auto served = value_or_throw(read());
    std::ostringstream out;

    ImpressionWriter{out}.write(served.log.row(0));

    Rejections none{0};
    const auto again =
        value_or_throw(parse_impressions(out.str(), "log.jsonl", Purpose::off_policy, none));
    EXPECT_EQ(again.propensity, served.log.propensity);
    EXPECT_EQ(again.reward, served.log.reward);
    EXPECT_EQ(again.slot.reward, served.log.slot.reward);
    EXPECT_EQ(again.row(0).candidates, served.log.row(0).candidates);
}

TEST_F(ServedLogTest, what_cannot_be_read_is_said) {
    EXPECT_THAT(error_of(), HasSubstr("none of its 0 decisions can be used"));
    show("r1", "ann", start);
    EXPECT_THAT(
        error_of({.now = start + 1}),
        AllOf(HasSubstr("1 younger than the window of 60 s"), HasSubstr("shorter --window"))
    );
    write_file_atomic(folder_ / "text.db", "not a database at all");
    EXPECT_FALSE(is_database(folder_ / "text.db"));
    EXPECT_FALSE(is_database(folder_ / "absent.db"));
    EXPECT_TRUE(is_database(file()));
    EXPECT_FALSE(read_served_log(folder_ / "text.db", dataset_).has_value());
    store_.reset();
    {
        SqliteDatabase database{file()};
        database.execute("PRAGMA user_version = 1");
    }
    const auto old = read_served_log(file(), dataset_);
    ASSERT_FALSE(old.has_value());
    EXPECT_THAT(old.error().what(), HasSubstr("schema version 1"));
    EXPECT_THAT(old.error().hint(), HasSubstr("start this program's server on it once"));
}

}  // namespace
}  // namespace hg::data
