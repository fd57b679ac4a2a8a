// SPDX-License-Identifier: Apache-2.0
#include "app/tuning.hpp"

#include "app/parameter_search.hpp"
#include "app/search_space.hpp"
#include "app/tuning_report.hpp"
#include "core/file.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hg::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::small_world;
using testing_support::TemporaryFolder;

TEST(SearchSpace, a_range_goes_from_end_to_end_evenly_or_in_the_logarithm) {
    const auto even = parse_dimension("dropout=0.1..0.5");
    const auto log = parse_dimension("learning_rate=1e-4..1e-2:log");
    const auto whole = parse_dimension("negatives=10..20");

    EXPECT_EQ(even.text(0), "0.1");
    EXPECT_EQ(even.text(0.5), "0.3");
    EXPECT_EQ(even.text(1), "0.5");
    EXPECT_EQ(log.text(0.5), "0.001");
    EXPECT_EQ(whole.text(0.54), "15");
    EXPECT_EQ(whole.text(1), "20");
}

TEST(SearchSpace, words_are_taken_as_they_are) {
    const auto loss = parse_dimension("loss=full,sampled");

    EXPECT_THAT(loss.words, ElementsAre("full", "sampled"));
    EXPECT_EQ(loss.text(1), "sampled");
}

class BadDimension : public testing::TestWithParam<const char*> {};

TEST_P(BadDimension, is_refused_with_what_to_write) {
    try {
        (void)parse_dimension(GetParam());
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(std::string{error.message()}, HasSubstr(GetParam()));
        EXPECT_FALSE(error.hint().empty());
    }
}

INSTANTIATE_TEST_SUITE_P(
    texts,
    BadDimension,
    testing::Values(
        "lambda",
        "=1..2",
        "lambda=",
        "lambda=2..1",
        "lambda=a..1",
        "lambda=0..1:log",
        "lambda=1..2:sqrt",
        "lambda=5",
        "lambda=1,,2"
    )
);

TEST(SearchSpace, an_option_is_not_set_and_searched) {
    SearchSpace space{parse_dimension("lambda=1..10")};
    Settings fixed;
    fixed.set_assignment("lambda=5");

    EXPECT_THROW(check_against(space, train::find_model("ease").options, fixed), Error);
}

/// A smooth hill over two ranges and a word, best at (.8, .2, second word).
double hill(const SearchPoint& p) {
    const auto x = p[0] - 0.8;
    const auto y = p[1] - 0.2;
    return -(x * x) - y * y - (p[2] == 1 ? 0.0 : 0.3);
}

double best_found(SearchKind kind, std::uint64_t seed) {
    const SearchSpace space{
        parse_dimension("a=0..1.0"), parse_dimension("b=0..1.0"), parse_dimension("c=x,y,z")
    };
    std::vector<SeenPoint> seen;
    double best = -10;
    const Rng rng{seed};
    for (std::size_t i = 0; i < 40; ++i) {
        const auto point = next_point(space, kind, seen, rng.split(i));
        // What cannot be fitted is not to be looked for again.
        const auto value = point[0] < 0.1 ? std::numeric_limits<double>::quiet_NaN() : hill(point);
        seen.push_back({point, value});
        if (!std::isnan(value)) {
            best = std::max(best, value);
        }
    }
    return best;
}

TEST(NextPoint, the_parzen_estimator_gets_nearer_to_the_top_than_chance) {
    double by_chance = 0;
    double by_parzen = 0;
    constexpr std::uint64_t n_seeds = 20;
    for (std::uint64_t seed = 0; seed < n_seeds; ++seed) {
        by_chance += best_found(SearchKind::random, seed) / n_seeds;
        by_parzen += best_found(SearchKind::tpe, seed) / n_seeds;
    }

    EXPECT_GT(by_parzen, by_chance / 2) << by_chance;  // both are below 0: half as far from it
}

class Tune : public testing::Test {
  protected:
    [[nodiscard]] TuningRequest request(const char* model, SearchSpace space) const {
        TuningRequest made{.entry = train::find_model(model), .space = std::move(space)};
        made.n_trials = 6;
        made.folder = folder_.path() / "search";
        made.task = {{"model", model}};
        return made;
    }

    Tuning run(const TuningRequest& asked, std::size_t stop_after = 1000) {
        SilentProgress silent;
        std::stop_source stop;
        return tune_model(
            asked,
            world_.dataset,
            protocol_,
            {silent, stop.get_token()},
            [&](const Tuning& so_far) {
                if (so_far.tried.size() == stop_after) {
                    stop.request_stop();
                }
            }
        );
    }

    testing_support::SmallWorld world_ = small_world();
    Protocol protocol_ = make_protocol(world_.dataset, {.part = Part::validation});
    TemporaryFolder folder_;
};

TEST_F(Tune, goes_on_where_it_was_stopped) {
    const auto asked = request("ease", {parse_dimension("lambda=1..1000:log")});
    auto elsewhere = request("ease", asked.space);
    elsewhere.folder = folder_.path() / "whole";
    const auto whole = run(elsewhere);
    EXPECT_THROW((void)run(asked, 2), Error);

    const auto resumed = run(asked);

    ASSERT_EQ(resumed.tried.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(resumed.tried[i].point, whole.tried[i].point);
        EXPECT_EQ(resumed.tried[i].ndcg, whole.tried[i].ndcg);
    }
}

TEST_F(Tune, does_not_go_on_with_another_search) {
    auto asked = request("ease", {parse_dimension("lambda=1..1000:log")});
    asked.n_trials = 1;
    (void)run(asked);
    asked.task["seed"] = 8;

    EXPECT_THROW((void)run(asked), Error);
}

TEST_F(Tune, a_damaged_record_is_named) {
    const auto asked = request("ease", {parse_dimension("lambda=1..1000:log")});
    std::filesystem::create_directories(asked.folder);
    write_file_atomic(asked.folder / "tuning.json", "{\"task\": ");

    try {
        (void)run(asked);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(std::string{error.message()}, HasSubstr("tuning.json"));
    }
}

TEST_F(Tune, what_cannot_be_fitted_is_told_and_not_the_best) {
    auto asked = request("sasrec", {parse_dimension("heads=3,4")});
    asked.fixed.set_assignment("dim=16");
    asked.fixed.set_assignment("epochs=1");

    const auto tuning = run(asked);

    const auto* best = best_of(tuning);
    ASSERT_NE(best, nullptr);
    EXPECT_EQ(asked.space[0].text(best->point[0]), "4");
    bool is_told = false;
    for (const auto& tried : tuning.tried) {
        is_told = is_told || tried.refused.find("heads") != std::string::npos;
    }
    EXPECT_TRUE(is_told);
    EXPECT_THAT(best_toml(asked, tuning), HasSubstr("heads = 4\n"));
    EXPECT_THAT(tuning_html(asked, tuning, "a world"), HasSubstr("not fitted"));
}

TEST_F(Tune, halving_gives_a_third_of_the_points_three_times_the_epochs) {
    auto asked = request("sasrec", {parse_dimension("learning_rate=1e-4..1e-2:log")});
    asked.search = SearchKind::halving;
    asked.n_trials = 9;
    asked.fixed.set_assignment("dim=8");
    asked.fixed.set_assignment("epochs=9");

    const auto tuning = run(asked);

    ASSERT_EQ(tuning.tried.size(), 9U + 3U + 1U);
    std::vector<std::int64_t> epochs;
    double best_of_first = -1;
    SearchPoint best_point;
    for (const auto& tried : tuning.tried) {
        epochs.push_back(tried.epochs);
        if (tried.rung == 0 && tried.ndcg > best_of_first) {
            best_of_first = tried.ndcg;
            best_point = tried.point;
        }
    }
    EXPECT_THAT(epochs, ElementsAre(1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 9));
    EXPECT_EQ(tuning.tried[9].point, best_point);
    EXPECT_EQ(best_of(tuning)->rung, 2U);
}

TEST_F(Tune, halving_needs_epochs) {
    auto asked = request("ease", {parse_dimension("lambda=1..1000:log")});
    asked.search = SearchKind::halving;

    EXPECT_THROW((void)run(asked), Error);
}

}  // namespace
}  // namespace hg::app
