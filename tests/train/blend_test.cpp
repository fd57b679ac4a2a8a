// SPDX-License-Identifier: Apache-2.0
#include "train/blend.hpp"

#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/fit_blend.hpp"
#include "train/gaussian_prior.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>

namespace hg::train {
namespace {

/// Gives every history the same scores.
class Fixed final : public Recommender {
  public:
    explicit Fixed(std::vector<float> scores) : scores_(std::move(scores)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(scores_, out.row(row).begin());
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return scores_.size(); }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("scores", std::span<const float>{scores_});
    }

  private:
    std::vector<float> scores_;
};

/// Knows that item i is followed by item i + 1.
class Successor final : public Recommender {
  public:
    explicit Successor(std::size_t n_items) : n_items_(n_items) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::fill(out.row(row), 0.0F);
            if (!histories[row].empty()) {
                const auto next = histories[row].items.back().index() + 1;
                if (next < n_items_) {
                    out(row, next) = 1;
                }
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return n_items_; }

    void save(SafetensorsWriter& /*weights*/) const override {}

  private:
    std::size_t n_items_;
};

Blend two_parts(std::vector<float> first, std::vector<float> second, Matrix<float> weights) {
    std::vector<Blend::Part> parts;
    parts.push_back({"first", std::make_unique<Fixed>(std::move(first))});
    parts.push_back({"second", std::make_unique<Fixed>(std::move(second))});
    return Blend{std::move(parts), std::move(weights)};
}

Matrix<float> constant_weights(float first, float second) {
    Matrix<float> weights(Blend::knots.size(), 2);
    for (std::size_t knot = 0; knot < Blend::knots.size(); ++knot) {
        weights(knot, 0) = first;
        weights(knot, 1) = second;
    }
    return weights;
}

TEST(Standardise, scores_have_mean_0_and_deviation_1_over_what_was_not_seen) {
    std::vector<float> scores{1, 2, 3, 1000};
    const std::vector<ItemId> seen{ItemId{3}, ItemId{3}};

    standardise(scores, seen);

    EXPECT_NEAR(scores[0] + scores[1] + scores[2], 0, 1e-5);
    EXPECT_NEAR(scores[2], std::sqrt(1.5), 1e-4);
}

TEST(Standardise, equal_scores_become_zero) {
    std::vector<float> scores(5, 0.3F);

    standardise(scores, {});

    EXPECT_THAT(scores, testing::Each(testing::FloatNear(0, 1e-6)));
}

TEST(Standardise, small_scores_count_as_much_as_large_ones) {
    std::vector<float> scores{1e-8F, 2e-8F, 3e-8F};

    standardise(scores, {});

    EXPECT_NEAR(scores[2], std::sqrt(1.5), 1e-4);
}

TEST(Blend, does_not_depend_on_the_scale_of_a_part) {
    const auto a = two_parts({1, 2, 3}, {3, 1, 2}, constant_weights(1, 1));
    const auto b = two_parts({10, 20, 30}, {-7, -9, -8}, constant_weights(1, 1));
    const data::History nobody;
    Matrix<float> first(1, 3);
    Matrix<float> second(1, 3);

    a.score({&nobody, 1}, first.view());
    b.score({&nobody, 1}, second.view());

    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(first(0, i), second(0, i), 1e-4);
    }
}

TEST(Blend, weights_are_interpolated_between_knots_and_constant_past_the_last) {
    auto weights = constant_weights(0, 1);
    for (std::size_t knot = 0; knot < Blend::knots.size(); ++knot) {
        weights(knot, 0) = static_cast<float>(knot);
    }
    const auto blend = two_parts({1, 2}, {2, 1}, std::move(weights));

    EXPECT_FLOAT_EQ(blend.weight(0, 0), 0);
    EXPECT_FLOAT_EQ(blend.weight(0, 1), 1);
    EXPECT_FLOAT_EQ(blend.weight(0, 2), 2);
    EXPECT_GT(blend.weight(0, 3), 2);
    EXPECT_LT(blend.weight(0, 3), 3);
    EXPECT_FLOAT_EQ(blend.weight(0, 1000), 5);
}

/// A belief in one dimension that knows these items.
class OneTaste final : public Recommender {
  public:
    explicit OneTaste(const std::vector<float>& items)
        : prior_{{
              .item_vectors = Matrix<float>(items.size(), 1, items),
              .segments = {{"", {{1}, {1}}}},
          }} {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            prior_.score(prior_.start(), out.row(row));
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return prior_.n_items(); }

    [[nodiscard]] const GaussianPrior* belief_prior() const override { return &prior_; }

    void save(SafetensorsWriter& /*weights*/) const override {}

  private:
    GaussianPrior prior_;
};

/// Three items that both parts know, and two that only the belief does.
Blend with_new_items(float weight_of_belief) {
    std::vector<Blend::Part> parts;
    parts.push_back({"ranker", std::make_unique<Fixed>(std::vector<float>{3, 1, 2})});
    parts.push_back({"belief", std::make_unique<OneTaste>(std::vector<float>{1, 2, 3, 9, 2})});
    return Blend{std::move(parts), constant_weights(1 - weight_of_belief, weight_of_belief)};
}

TEST(Blend, a_part_without_weight_for_known_items_ranks_those_that_only_it_can_place) {
    const auto blend = with_new_items(0);
    const data::History nobody;
    Matrix<float> scores(1, 5);

    blend.score({&nobody, 1}, scores.view());

    EXPECT_GT(scores(0, 0), scores(0, 2)) << "what both know is the ranker's";
    EXPECT_GT(scores(0, 3), scores(0, 0)) << "seven deviations above the mean";
    EXPECT_NEAR(scores(0, 4), 0, 1e-5) << "the mean of what the belief knows";
}

TEST(Blend, the_belief_added_apart_makes_the_same_scores_also_of_new_items) {
    for (const float weight : {0.0F, 0.3F}) {
        const auto blend = with_new_items(weight);
        data::HistoryBuffer history;
        history.add(ItemId{1});
        const auto view = history.view();
        Matrix<float> whole(1, 5);
        Matrix<float> apart(1, 5);
        std::vector<float> of_belief(5);
        const auto& prior = *blend.belief_prior();
        prior.score(prior.start(), of_belief);

        blend.score({&view, 1}, whole.view());
        blend.score_rankers({&view, 1}, apart.view());
        blend.add_belief(view, of_belief, apart.row(0));

        EXPECT_THAT(apart.values(), testing::ElementsAreArray(whole.values())) << weight;
    }
}

Settings blend_of(std::string_view rankers, std::initializer_list<std::string_view> more = {}) {
    Settings settings;
    settings.set_assignment(fmt::format("rankers={}", rankers));
    for (const auto assignment : more) {
        settings.set_assignment(assignment);
    }
    return settings;
}

struct FitOptions {
    RunWriter* run = nullptr;
    double memory_limit = memory_limit_bytes();
};

void fit_blend(
    const testing_support::SmallWorld& world, const Settings& settings, const FitOptions& options
) {
    SilentProgress silent;
    (void)find_model("blend").fit(
        {.dataset = world.dataset,
         .log = world.dataset.log,
         .content = nullptr,
         .rng = Rng{5},
         .progress = silent,
         .stop = {},
         .run = options.run,
         .memory_limit = options.memory_limit},
        settings
    );
}

TEST(FitBlend, what_each_part_has_to_tell_is_noted_and_only_curves_leave_a_folder) {
    const auto world =
        testing_support::small_world({.n_users = 600, .n_items = 60, .events_per_user = 14});
    const testing_support::TemporaryFolder folder;
    RunWriter run{folder / "run"};
    fit_blend(
        world,
        blend_of(R"(["popularity","gaussian","dae"])", {"dae.epochs=2", "gaussian.dim=8"}),
        {.run = &run}
    );

    const auto& notes = run.notes().at("fit_on_all_users");
    EXPECT_GT(notes.at("gaussian").at("calibrated").at("noise_scale"), 0);
    EXPECT_EQ(notes.at("dae").at("epochs_run"), 2);
    EXPECT_TRUE(notes.at("popularity").contains("seconds"));
    const auto parts = run.folder() / "parts" / "fit_on_all_users";
    EXPECT_TRUE(std::filesystem::exists(parts / "dae" / "metrics.jsonl"));
    EXPECT_FALSE(std::filesystem::exists(parts / "gaussian"));
}

TEST(FitBlend, a_part_that_needs_too_much_memory_is_named_with_its_option_and_the_way_without_it) {
    const auto world = testing_support::small_world();
    try {
        fit_blend(world, blend_of(R"(["popularity","ease","gaussian"])"), {.memory_limit = 1000});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::exhausted);
        EXPECT_THAT(error.message(), testing::StartsWith("blend: ease: "));
        EXPECT_THAT(error.hint(), testing::HasSubstr("--set ease.max_items="));
        EXPECT_THAT(error.hint(), testing::HasSubstr("--set ease.memory_gb=N"));
        EXPECT_THAT(
            error.hint(),
            testing::EndsWith(R"(or leave it out, --set 'rankers=["popularity","gaussian"]')")
        );
    }
}

TEST(FitBlendWeights, the_part_that_knows_gets_the_weight_once_there_is_an_event) {
    constexpr std::uint32_t n_items = 30;
    std::vector<BlendTrial> trials(1);
    auto& parts = trials[0].parts;
    parts.push_back({"noise", std::make_unique<Fixed>(std::vector<float>(n_items, 0.0F))});
    parts.push_back({"successor", std::make_unique<Successor>(n_items)});
    std::vector<data::HistoryBuffer> buffers(40);
    std::vector<data::History> held_out;
    for (std::uint32_t u = 0; u < buffers.size(); ++u) {
        for (std::uint32_t i = 0; i < 8; ++i) {
            buffers[u].add(ItemId{(u + i) % n_items});
        }
        held_out.push_back(buffers[u].view());
    }
    SilentProgress progress;

    trials[0].held_out = held_out;
    const auto fitted = fit_blend_weights(trials, {}, Rng{0}, progress);

    EXPECT_GT(fitted.weights(1, 1), 0);
    EXPECT_GT(fitted.ndcg[1], fitted.single_ndcg(1, 0));
    EXPECT_EQ(fitted.n_users[1], 40U);
    EXPECT_EQ(fitted.n_users[5], 0U) << "nobody has 20 events";
    EXPECT_EQ(fitted.weights(5, 1), fitted.weights(4, 1)) << "so the knot before it counts";
}

TEST(FitBlendWeights, where_order_means_nothing_all_the_other_items_may_be_next) {
    // Twelve items of which ten are asked for: a perfect list finds them with chance 10 / 12 each.
    constexpr std::uint32_t n_items = 30;
    std::vector<float> scores(n_items, 0.0F);
    data::HistoryBuffer buffer;
    for (std::uint32_t i = 0; i < 12; ++i) {
        scores[i] = 1 + static_cast<float>(i);
        buffer.add(ItemId{i});
    }
    std::vector<BlendTrial> trials(1);
    trials[0].parts.push_back({"all_twelve", std::make_unique<Fixed>(scores)});
    trials[0].held_out.assign(25, buffer.view());
    SilentProgress progress;

    const auto in_order = fit_blend_weights(trials, {}, Rng{0}, progress);
    const auto in_any =
        fit_blend_weights(trials, {.order = EventOrder::means_nothing}, Rng{0}, progress);

    EXPECT_NEAR(in_any.single_ndcg(0, 0), 10.0 / 12.0, 1e-6);
    EXPECT_LT(in_order.single_ndcg(0, 0), 0.8)
        << "the list starts with the two that are not asked for";
    EXPECT_EQ(in_any.n_users[0], 25U);
    EXPECT_GT(in_order.weights(0, 0), 0) << "a blend of nothing is no blend";
    EXPECT_NEAR(in_any.single_ndcg(3, 0), 1, 1e-6)
        << "after five events seven are left, all asked for";
}

/// Users who take items 0..8 and then item 20, one in `taken_by` of them, or item 15.
std::vector<data::HistoryBuffer> takers(std::uint32_t n_users, std::uint32_t taken_by) {
    std::vector<data::HistoryBuffer> buffers(n_users);
    for (std::uint32_t u = 0; u < n_users; ++u) {
        for (std::uint32_t i = 0; i < 9; ++i) {
            buffers[u].add(ItemId{i});
        }
        buffers[u].add(ItemId{u % taken_by == 0 ? 20U : 15U});
    }
    return buffers;
}

TEST(FitBlendWeights, with_nothing_known_popularity_is_left_alone_unless_another_is_surely_better) {
    constexpr std::uint32_t n_items = 30;
    // Popularity knows the first nine; the other part knows item 20 in place of item 0.
    std::vector<float> popular(n_items, 0.0F);
    std::vector<float> other(n_items, 0.0F);
    for (std::uint32_t i = 0; i < 9; ++i) {
        popular[i] = 30 - static_cast<float>(i);
        other[i] = 30 - static_cast<float>(i);
    }
    other[20] = 20;
    SilentProgress progress;
    const auto weight_of_other = [&](std::uint32_t taken_by) {
        const auto buffers = takers(200, taken_by);
        std::vector<BlendTrial> trials(1);
        trials[0].parts.push_back({"popularity", std::make_unique<Fixed>(popular)});
        trials[0].parts.push_back({"other", std::make_unique<Fixed>(other)});
        for (const auto& buffer : buffers) {
            trials[0].held_out.push_back(buffer.view());
        }
        return fit_blend_weights(trials, {}, Rng{0}, progress).weights(0, 1);
    };

    EXPECT_EQ(weight_of_other(200), 0) << "one user in 200 is no proof";
    EXPECT_GT(weight_of_other(2), 0);
}

TEST(FitBlendWeights, targets_may_lie_behind_what_comes_next) {
    // Everybody takes items 0 to 9 first and 10 to 19 then: two parts, each knows one ten.
    constexpr std::uint32_t n_items = 40;
    std::vector<float> soon(n_items, 0.0F);
    std::vector<float> later(n_items, 0.0F);
    data::HistoryBuffer buffer;
    for (std::uint32_t i = 0; i < 20; ++i) {
        (i < 10 ? soon : later)[i] = 40 - static_cast<float>(i);
        buffer.add(ItemId{i});
    }
    std::vector<BlendTrial> trials(1);
    trials[0].parts.push_back({"soon", std::make_unique<Fixed>(soon)});
    trials[0].parts.push_back({"later", std::make_unique<Fixed>(later)});
    trials[0].held_out.assign(25, buffer.view());
    SilentProgress progress;

    const auto next = fit_blend_weights(trials, {}, Rng{0}, progress);
    const auto behind = fit_blend_weights(trials, {.after = 10}, Rng{0}, progress);
    const auto far = fit_blend_weights(trials, {.after = 1000}, Rng{0}, progress);

    EXPECT_GT(next.weights(0, 0), next.weights(0, 1));
    for (const auto& fitted : {std::cref(behind), std::cref(far)}) {
        for (std::size_t knot = 0; knot < 4; ++knot) {
            EXPECT_GT(fitted.get().weights(knot, 1), fitted.get().weights(knot, 0)) << knot;
            EXPECT_NEAR(fitted.get().single_ndcg(knot, 1), 1, 1e-6) << knot;
        }
    }
}

TEST(FitBlendWeights, users_without_later_events_decide_only_where_the_others_are_few) {
    // Short users take items 0 to 7; long ones items 0 to 9 and then 10 to 19.
    constexpr std::uint32_t n_items = 40;
    std::vector<float> soon(n_items, 0.0F);
    std::vector<float> later(n_items, 0.0F);
    data::HistoryBuffer short_user;
    data::HistoryBuffer long_user;
    for (std::uint32_t i = 0; i < 20; ++i) {
        (i < 10 ? soon : later)[i] = 40 - static_cast<float>(i);
        long_user.add(ItemId{i});
        if (i < 8) {
            short_user.add(ItemId{i});
        }
    }
    SilentProgress progress;
    const auto fitted = [&](std::size_t n_long) {
        std::vector<BlendTrial> trials(1);
        trials[0].parts.push_back({"soon", std::make_unique<Fixed>(soon)});
        trials[0].parts.push_back({"later", std::make_unique<Fixed>(later)});
        trials[0].held_out.assign(300, short_user.view());
        trials[0].held_out.insert(trials[0].held_out.end(), n_long, long_user.view());
        return fit_blend_weights(trials, {.after = 10}, Rng{0}, progress);
    };

    const auto few = fitted(50);
    EXPECT_EQ(few.n_users[0], 350U);
    EXPECT_GT(few.weights(0, 0), few.weights(0, 1));
    const auto enough = fitted(100);
    EXPECT_EQ(enough.n_users[0], 100U);
    EXPECT_GT(enough.weights(0, 1), enough.weights(0, 0));
}

TEST(FitBlendWeights, users_of_every_trial_are_judged_by_the_parts_of_their_own) {
    constexpr std::uint32_t n_items = 40;
    std::vector<float> wrong(n_items);
    std::iota(wrong.begin(), wrong.end(), 0.0F);
    std::vector<BlendTrial> trials(2);
    const auto buffers = takers(60, 1);
    for (std::size_t t = 0; t < trials.size(); ++t) {
        trials[t].parts.push_back({"wrong", std::make_unique<Fixed>(wrong)});
        trials[t].parts.push_back({"successor", std::make_unique<Successor>(n_items)});
        for (std::size_t u = 0; u < 30; ++u) {
            trials[t].held_out.push_back(buffers[30 * t + u].view());
        }
    }
    SilentProgress progress;

    const auto fitted = fit_blend_weights(trials, {}, Rng{0}, progress);

    EXPECT_EQ(fitted.n_users[1], 60U);
    EXPECT_GT(fitted.weights(1, 1), 0);
}

}  // namespace
}  // namespace hg::train
