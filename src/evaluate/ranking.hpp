// SPDX-License-Identifier: Apache-2.0
// ranking: accuracy of one user's ranking: ndcg, recall, precision, hit, map, mrr, f1, r-precision,
// rbp at k.
//
// Every metric is a function of where the relevant items stand and what they are worth (Judged), so
// a ranking may come as a list (recommend's output) or as scores of the whole catalogue (our
// protocols). Libraries disagree on four things; the default is trec_eval's choice, the others are
// labelled modes:
// - gain: linear (trec_eval, default), exponential 2^g - 1 (Burges 2005), binary (RecBole)
// - denominator: all relevant (trec_eval, default), min(k, relevant) (RecBole's map, RecPack)
// - ties: half (default, rank.hpp), docid descending (trec_eval), as listed (ranx)
// - missing users: count 0 and are reported (default, ranx), dropped (pytrec_eval)
//
// docs/concepts/metrics.md has the table. All values lie in [0, 1] except rbp with graded gains.
//
//   const auto judged = judge_scores(scores, targets);     // ranks, ties counted half
//   const double quality = ndcg_at(judged, 10);
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace hg::evaluate {

constexpr double not_ranked = std::numeric_limits<double>::infinity();

/// One relevant item of a user: where it stands (from 0, half a place for a tie) and what it is
/// worth.
struct Judged {
    double rank = not_ranked;
    double grade = 1;
};

struct Relevant {
    ItemId item;
    double grade = 1;
};

struct ScoredItem {
    ItemId item;
    double score = 0;
};

enum class Gain : std::uint8_t { linear, exponential, binary };
enum class Denominator : std::uint8_t { all_relevant, min_k_relevant };
enum class TieRule : std::uint8_t { half, id_descending, as_listed };
enum class MissingUsers : std::uint8_t { count_zero, drop };

/// One Judged per relevant item, in the order of `relevant`; an item not in the list is not_ranked.
[[nodiscard]] std::vector<Judged> judge_list(
    std::span<const ItemId> list, std::span<const Relevant> relevant
);
/// From a scored answer that need not be sorted.
[[nodiscard]] std::vector<Judged> judge_answer(
    std::span<const ScoredItem> answer,
    std::span<const Relevant> relevant,
    TieRule ties = TieRule::half
);
/// From scores of the whole catalogue; masked targets are not_ranked. O(targets x items).
[[nodiscard]] std::vector<Judged> judge_scores(
    std::span<const float> scores, std::span<const ItemId> targets
);

/// DCG over ranks < k by the DCG of the best possible order; 0 when nothing is relevant.
[[nodiscard]] double ndcg_at(
    std::span<const Judged> judged, std::size_t k, Gain gain = Gain::linear
);
[[nodiscard]] double hit_at(std::span<const Judged> judged, std::size_t k);
[[nodiscard]] double recall_at(
    std::span<const Judged> judged,
    std::size_t k,
    Denominator denominator = Denominator::all_relevant
);
/// Divides by k even when fewer than k items were returned.
[[nodiscard]] double precision_at(std::span<const Judged> judged, std::size_t k);
[[nodiscard]] double f1_at(std::span<const Judged> judged, std::size_t k);
[[nodiscard]] double average_precision_at(
    std::span<const Judged> judged,
    std::size_t k,
    Denominator denominator = Denominator::all_relevant
);
/// 1 / (1 + rank) of the best relevant item if it stands before k.
[[nodiscard]] double reciprocal_rank_at(std::span<const Judged> judged, std::size_t k);
/// Precision at the number of relevant items.
[[nodiscard]] double r_precision(std::span<const Judged> judged);
/// Rank-biased precision (Moffat and Zobel, 2008). With Gain::linear grades enter raw, as in ranx,
/// and the value may exceed 1.
[[nodiscard]] double rank_biased_precision(
    std::span<const Judged> judged, double persistence, Gain gain = Gain::binary
);

/// A mean that says whom it is over.
struct UserMean {
    double mean = 0;
    std::size_t n_users = 0;    // the divisor
    std::size_t n_missing = 0;  // users who should have had an answer and had none
};

/// `values` are of the users who were answered; `n_expected` >= their number.
[[nodiscard]] UserMean mean_over_users(
    std::span<const double> values,
    std::size_t n_expected,
    MissingUsers rule = MissingUsers::count_zero
);

}  // namespace hg::evaluate
