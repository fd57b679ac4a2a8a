// SPDX-License-Identifier: Apache-2.0
// Properties that hold for every ranking: ranges, permutations, monotony, agreement of the two
// input forms.
#include "core/rng.hpp"
#include "core/top_k.hpp"
#include "evaluate/calibration.hpp"
#include "evaluate/diversity.hpp"
#include "evaluate/exposure.hpp"
#include "evaluate/novelty.hpp"
#include "evaluate/ranking.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

namespace hg::evaluate {
namespace {

struct Case {
    std::vector<float> scores;
    std::vector<ItemId> targets;
};

/// Few distinct scores, so that ties are common.
Case draw_case() {
    const auto n = *rc::gen::inRange<std::size_t>(1, 40);
    const auto levels = *rc::gen::inRange(1, 12);
    Case drawn;
    drawn.scores = *rc::gen::container<std::vector<float>>(
        n, rc::gen::map(rc::gen::inRange(0, levels), [](int v) { return static_cast<float>(v); })
    );
    std::vector<std::uint32_t> ids(n);
    std::iota(ids.begin(), ids.end(), 0U);
    Rng rng{*rc::gen::arbitrary<std::uint64_t>()};
    rng.shuffle(std::span{ids});
    const auto n_targets = *rc::gen::inRange<std::size_t>(1, n + 1);
    for (std::size_t i = 0; i < n_targets; ++i) {
        drawn.targets.push_back(ItemId{ids[i]});
    }
    return drawn;
}

std::vector<double> all_metrics(std::span<const Judged> judged, std::size_t k) {
    return {
        ndcg_at(judged, k),
        ndcg_at(judged, k, Gain::binary),
        hit_at(judged, k),
        recall_at(judged, k),
        recall_at(judged, k, Denominator::min_k_relevant),
        precision_at(judged, k),
        f1_at(judged, k),
        average_precision_at(judged, k),
        average_precision_at(judged, k, Denominator::min_k_relevant),
        reciprocal_rank_at(judged, k),
        r_precision(judged),
        rank_biased_precision(judged, 0.8),
    };
}

RC_GTEST_PROP(RankingProperties, every_metric_lies_between_zero_and_one, ()) {
    const auto drawn = draw_case();
    const auto k = *rc::gen::inRange<std::size_t>(1, 45);

    for (const double value : all_metrics(judge_scores(drawn.scores, drawn.targets), k)) {
        RC_ASSERT(value >= 0.0);
        RC_ASSERT(value <= 1.0 + 1e-12);
    }
}

RC_GTEST_PROP(RankingProperties, renaming_items_changes_nothing, ()) {
    const auto drawn = draw_case();
    const auto k = *rc::gen::inRange<std::size_t>(1, 45);
    std::vector<std::uint32_t> names(drawn.scores.size());
    std::iota(names.begin(), names.end(), 0U);
    Rng rng{*rc::gen::arbitrary<std::uint64_t>()};
    rng.shuffle(std::span{names});
    Case renamed{.scores = std::vector<float>(names.size()), .targets = {}};
    for (std::size_t i = 0; i < names.size(); ++i) {
        renamed.scores[names[i]] = drawn.scores[i];
    }
    for (const auto target : drawn.targets) {
        renamed.targets.push_back(ItemId{names[target.index()]});
    }

    RC_ASSERT(
        all_metrics(judge_scores(drawn.scores, drawn.targets), k) ==
        all_metrics(judge_scores(renamed.scores, renamed.targets), k)
    );
}

RC_GTEST_PROP(RankingProperties, a_larger_k_never_lowers_hit_recall_or_reciprocal_rank, ()) {
    const auto drawn = draw_case();
    const auto k = *rc::gen::inRange<std::size_t>(1, 45);
    const auto judged = judge_scores(drawn.scores, drawn.targets);

    RC_ASSERT(hit_at(judged, k + 1) >= hit_at(judged, k));
    RC_ASSERT(recall_at(judged, k + 1) >= recall_at(judged, k));
    RC_ASSERT(reciprocal_rank_at(judged, k + 1) >= reciprocal_rank_at(judged, k));
}

RC_GTEST_PROP(RankingProperties, relevant_items_on_top_score_one, ()) {
    const auto drawn = draw_case();
    const auto k = *rc::gen::inRange<std::size_t>(1, 45);
    std::vector<Judged> best;
    for (std::size_t i = 0; i < drawn.targets.size(); ++i) {
        best.push_back({.rank = static_cast<double>(i)});
    }

    RC_ASSERT(std::abs(ndcg_at(best, k) - 1) < 1e-12);
    RC_ASSERT(std::abs(average_precision_at(best, k, Denominator::min_k_relevant) - 1) < 1e-12);
    RC_ASSERT(reciprocal_rank_at(best, k) == 1.0);
}

RC_GTEST_PROP(RankingProperties, a_list_and_its_scores_are_judged_alike_without_ties, ()) {
    auto drawn = draw_case();
    std::iota(drawn.scores.begin(), drawn.scores.end(), 0.0F);
    std::vector<ItemId> list;
    for (const auto& scored : top_k(drawn.scores, drawn.scores.size())) {
        list.push_back(ItemId{scored.index});
    }
    std::vector<Relevant> relevant;
    for (const auto target : drawn.targets) {
        relevant.push_back({target, 1});
    }

    const auto by_list = judge_list(list, relevant);
    const auto by_scores = judge_scores(drawn.scores, drawn.targets);

    for (std::size_t i = 0; i < by_list.size(); ++i) {
        RC_ASSERT(by_list[i].rank == by_scores[i].rank);
    }
}

std::vector<ItemList> draw_lists(std::size_t n_items) {
    return *rc::gen::container<std::vector<ItemList>>(rc::gen::map(
        rc::gen::unique<std::vector<std::uint32_t>>(
            rc::gen::inRange<std::uint32_t>(0, static_cast<std::uint32_t>(n_items))
        ),
        [](const std::vector<std::uint32_t>& ids) {
            ItemList list;
            for (const auto id : ids) {
                list.push_back(ItemId{id});
            }
            return list;
        }
    ));
}

RC_GTEST_PROP(ListProperties, shares_and_concentrations_stay_in_range, ()) {
    constexpr std::size_t n_items = 200;
    const auto lists = draw_lists(n_items);
    const auto k = *rc::gen::inRange<std::size_t>(1, 20);
    const auto shown = count_exposure(lists, k, n_items);

    RC_ASSERT(coverage(shown) >= 0 && coverage(shown) <= 1);
    RC_ASSERT(gini(shown) >= -1e-12 && gini(shown) <= 1);
    RC_ASSERT(gini(shown, GiniOver::shown_items) <= gini(shown) + 1e-12);
    RC_ASSERT(entropy_nats(shown) >= -1e-12);
    RC_ASSERT(effective_catalogue(shown) <= static_cast<double>(n_distinct(shown)) + 1e-9);
    RC_ASSERT(herfindahl(shown) >= 0 && herfindahl(shown) <= 1 + 1e-12);
    const double personal = personalisation(lists, k, n_items);
    RC_ASSERT(personal >= -1e-9 && personal <= 1 + 1e-9);
}

RC_GTEST_PROP(ListProperties, divergences_are_never_negative, ()) {
    constexpr std::size_t n_groups = 5;
    const auto draw = [] {
        return *rc::gen::container<std::vector<double>>(
            n_groups, rc::gen::map(rc::gen::inRange(0, 100), [](int v) { return v / 100.0; })
        );
    };
    auto p = draw();
    auto q = draw();
    for (auto* distribution : {&p, &q}) {
        (*distribution)[0] += 0.01;
        const double sum = std::accumulate(distribution->begin(), distribution->end(), 0.0);
        for (auto& share : *distribution) {
            share /= sum;
        }
    }

    RC_ASSERT(kl_nats(p, q) >= 0);
    RC_ASSERT(js_bits(p, q) >= 0);
    RC_ASSERT(js_bits(p, q) <= 1 + 1e-12);
    RC_ASSERT(std::abs(js_bits(p, q) - js_bits(q, p)) < 1e-12);
    RC_ASSERT(kl_nats(p, p) < 1e-12);
}

}  // namespace
}  // namespace hg::evaluate
