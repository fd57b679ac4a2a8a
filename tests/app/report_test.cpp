// SPDX-License-Identifier: Apache-2.0
#include "app/report.hpp"

#include "app/chart.hpp"
#include "app/protocol_run.hpp"
#include "support/small_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <vector>

namespace hg::app {
namespace {

/// Every tag that is opened is closed, in order; returns what is wrong, or nothing.
std::string unbalanced(std::string_view html) {
    const std::set<std::string> alone{"!DOCTYPE", "meta"};
    std::vector<std::string> open;
    for (std::size_t at = html.find('<'); at != std::string_view::npos;
         at = html.find('<', at + 1)) {
        const auto end = html.find('>', at);
        if (end == std::string_view::npos) {
            return "a tag without an end";
        }
        const bool closes = html[at + 1] == '/';
        std::string name;
        for (auto i = at + (closes ? 2 : 1);
             i < end && (std::isalnum(html[i]) != 0 || html[i] == '!');
             ++i) {
            name += html[i];
        }
        if (alone.contains(name) || html[end - 1] == '/') {
            continue;
        }
        if (!closes) {
            open.push_back(name);
        } else if (open.empty() || open.back() != name) {
            return "</" + name + "> closes nothing, open: " + (open.empty() ? "" : open.back());
        } else {
            open.pop_back();
        }
    }
    return open.empty() ? "" : "left open: " + open.back();
}

std::vector<Evaluation> two_evaluations(const data::Dataset& dataset) {
    SilentProgress silent;
    std::vector<Contender> contenders;
    for (const auto* name : {"popularity"}) {
        contenders.push_back({.name = name, .entry = &train::find_model(name), .settings = {}});
    }
    contenders.push_back(
        {.name = "<script>alert(\"x\")</script>",
         .entry = &train::find_model("popularity"),
         .settings = {}}
    );
    std::vector<Evaluation> evaluations;
    for (const auto kind : {ProtocolKind::leave_one_out, ProtocolKind::few_shot}) {
        const auto protocol =
            make_protocol(dataset, {.kind = kind, .folds = 2, .contexts = {0, 1, 2}});
        const auto outcomes = run_protocol(dataset, protocol, contenders, {}, {silent, {}});
        evaluations.push_back(summarise(dataset, protocol, outcomes, {}));
    }
    return evaluations;
}

TEST(Report, is_one_well_formed_page_without_scripts_links_or_fonts) {
    const auto world = testing_support::small_world();
    const auto html = report_html(describe_dataset(world.dataset), two_evaluations(world.dataset));

    EXPECT_EQ(unbalanced(html), "");
    EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
    for (const auto* foreign :
         {"<script", "http:", "https:", "<link", "<img", "url(", "@import", "nan"}) {
        EXPECT_THAT(html, testing::Not(testing::HasSubstr(foreign))) << foreign;
    }
}

TEST(Report, shows_the_table_the_few_shot_curve_the_intervals_and_the_scatter) {
    const auto world = testing_support::small_world();
    const auto html = report_html(describe_dataset(world.dataset), two_evaluations(world.dataset));

    for (const auto* part :
         {"leave-one-out",
          "Few-shot curve",
          "Better than popularity?",
          "Accuracy against popularity",
          "baseline",
          "full ranking of 40 items",
          "<svg"}) {
        EXPECT_THAT(html, testing::HasSubstr(part));
    }
}

TEST(Report, a_hostile_model_name_is_text) {
    const auto world = testing_support::small_world();
    const auto html = report_html(describe_dataset(world.dataset), two_evaluations(world.dataset));

    EXPECT_THAT(html, testing::HasSubstr("&lt;script&gt;alert(&quot;x&quot;)"));
}

TEST(Chart, nothing_to_draw_is_still_a_picture) {
    EXPECT_EQ(unbalanced(line_chart({.title = "t"}, std::vector<std::string>{"a"}, {})), "");
    EXPECT_EQ(unbalanced(scatter_chart({.title = "t"}, {})), "");
    EXPECT_EQ(unbalanced(interval_chart({.title = "t"}, {})), "");
}

TEST(Chart, a_series_of_zeros_and_one_of_gaps_stay_finite) {
    const std::vector<std::string> categories{"0", "1"};
    const std::vector<Series> series{
        {.name = "zero", .colour = 0, .values = {0, 0}},
        {.name = "gap", .colour = 1, .values = {std::numeric_limits<double>::quiet_NaN(), 0}},
    };

    const auto svg = line_chart({.title = "t"}, categories, series);

    EXPECT_THAT(svg, testing::Not(testing::HasSubstr("nan")));
    EXPECT_THAT(svg, testing::Not(testing::HasSubstr("inf")));
}

TEST(Evaluation, json_has_a_row_per_model_with_its_difference_and_its_curve) {
    const auto world = testing_support::small_world();
    const auto json = to_json(two_evaluations(world.dataset).at(1));

    ASSERT_EQ(json.at("rows").size(), 2U);
    EXPECT_EQ(json.at("protocol"), "few-shot");
    EXPECT_FALSE(json.at("rows")[0].contains("difference_to_baseline"));
    EXPECT_DOUBLE_EQ(json.at("rows")[1].at("difference_to_baseline").at("mean"), 0);
    EXPECT_EQ(json.at("rows")[1].at("curve").size(), 3U);
}

}  // namespace
}  // namespace hg::app
