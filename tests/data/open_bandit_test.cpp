// SPDX-License-Identifier: Apache-2.0
#include "data/open_bandit.hpp"

#include "data/folder_fixture.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <numeric>
#include <sstream>

namespace hg::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class OpenBandit : public FolderFixture {
  protected:
    std::string error_of(std::string_view content) {
        write("bad.csv", content);
        const auto log = read_open_bandit(folder() / "bad.csv");
        return log ? "no error" : log.error().what();
    }
};

constexpr std::string_view zozo =
    ",timestamp,item_id,position,click,propensity_score,user_feature_0,user_feature_1,"
    "user-item_affinity_0,user-item_affinity_1\n"
    "0,2019-11-24 00:00:17.004101+00:00,1,2,0,0.087125,aa,bb,0.0,1.5\n"
    "1,2019-11-24 00:00:19.715857+00:00,0,1,1,0.5,aa,cc,0.0,0.0\n";

TEST_F(OpenBandit, a_row_is_a_decision_with_one_slot) {
    write("random_all.csv", zozo);

    const auto log = value_or_throw(read_open_bandit(folder() / "random_all.csv"));

    ASSERT_EQ(log.size(), 2);
    EXPECT_EQ(log.propensity_kind, PropensityKind::marginal);
    EXPECT_EQ(log.policies.name(log.policy[0]), "random_all");
    EXPECT_EQ(log.users.name(log.user[1]), "aa/cc");
    EXPECT_EQ(log.timestamp[0], 1'574'553'617'004);
    EXPECT_THAT(log.reward, ElementsAre(0, 1));
    EXPECT_THAT(log.propensity, ElementsAre(.087125, .5));
    EXPECT_THAT(log.slot.position, ElementsAre(1, 0));
    EXPECT_THAT(log.state.row(0), ElementsAre(0.F, 1.5F));
    EXPECT_EQ(log.items.name(log.candidates.row(0)[1]), "1");
}

TEST_F(OpenBandit, slates_survive_the_way_there_and_back) {
    ImpressionLog log;
    log.append(
        {.recommendation_id = "r,1",
         .user_id = "u \"7\"",
         .timestamp = 1'700'000'000'123,
         .policy = "serve",
         .slots =
             {
                 {.item_id = "a", .propensity = .1, .reward = 1, .clicked = true},
                 {.item_id = "b", .propensity = 1.0 / 3, .reward = 0, .clicked = false},
             }}
    );
    log.append(
        {.recommendation_id = "r2",
         .user_id = "8",
         .policy = "serve",
         .slots = {{.item_id = "b", .propensity = .5, .position = 4}},
         .reward = .25}
    );
    std::ostringstream out;
    value_or_throw(write_open_bandit(log, out));
    write("ours.csv", out.str());

    const auto again = value_or_throw(read_open_bandit(folder() / "ours.csv"));

    ASSERT_EQ(again.size(), 2);
    EXPECT_EQ(again.propensity_kind, PropensityKind::conditional);
    EXPECT_EQ(again.recommendation_id, log.recommendation_id);
    EXPECT_EQ(again.users.names(), log.users.names());
    EXPECT_EQ(again.slots.offsets, log.slots.offsets);
    EXPECT_EQ(again.items.names(), log.items.names());
    EXPECT_EQ(again.timestamp, log.timestamp);
    EXPECT_EQ(again.slot.propensity, log.slot.propensity);
    EXPECT_EQ(again.slot.position, log.slot.position);
    EXPECT_EQ(again.reward, log.reward);
}

TEST_F(OpenBandit, bad_rows_are_named) {
    const std::string head = "timestamp,item_id,position,click,propensity_score\n";

    EXPECT_THAT(error_of("timestamp,item_id\n"), HasSubstr("bad.csv has no column position"));
    EXPECT_THAT(error_of(head), HasSubstr("no rows"));
    EXPECT_THAT(error_of(head + ",a,1,0,0\n"), HasSubstr("propensity is 0, expected"));
    EXPECT_THAT(error_of(head + ",a,1,0,0.5\n,a,0,0,0.5\n"), HasSubstr("bad.csv:3: position is 0"));
    EXPECT_THAT(error_of(head + ",a,1,x,0.5\n"), HasSubstr("click is \"x\", expected a number"));
    EXPECT_THAT(error_of(head + "noon,a,1,0,0.5\n"), HasSubstr("timestamp is \"noon\""));
    EXPECT_THAT(error_of(head + ",a,1\n"), HasSubstr("bad.csv:2"));
    const std::string with_id =
        "timestamp,item_id,position,click,propensity_score,recommendation_id\n";
    EXPECT_THAT(
        error_of(with_id + ",a,1,0,0.5,r1\n,a,1,0,0.5,r2\n,b,1,0,0.5,r1\n"),
        HasSubstr("bad.csv:4: recommendation_id \"r1\" is that of an earlier decision")
    );
}

TEST_F(OpenBandit, a_slate_without_clicks_cannot_be_written) {
    ImpressionLog log;
    log.append(
        {.recommendation_id = "r1",
         .slots = {{.item_id = "a", .propensity = 1}, {.item_id = "b", .propensity = 1}},
         .reward = 1}
    );
    std::ostringstream out;

    const auto written = write_open_bandit(log, out);

    ASSERT_FALSE(written.has_value());
    EXPECT_THAT(written.error().what(), HasSubstr("\"r1\" has no click"));
}

TEST_F(OpenBandit, the_zozo_files_are_read_whole) {
    const std::filesystem::path path{HG_SHARED_DIR "/data/open-bandit/random_all_all.csv.gz"};
    if (!std::filesystem::exists(path)) {
        GTEST_SKIP() << "no " << path << ": the reader was NOT tried on the Open Bandit files";
    }

    const auto log = value_or_throw(read_open_bandit(path));

    EXPECT_EQ(log.size(), 10'000);
    EXPECT_EQ(log.items.size(), 80);
    EXPECT_EQ(log.candidates.row(9'999).size(), 80);
    EXPECT_NEAR(std::reduce(log.reward.begin(), log.reward.end()) / 10'000, .0038, 1e-12);
    EXPECT_NEAR(log.propensity[0], 1.0 / 80, 1e-12);
}

}  // namespace
}  // namespace hg::data
