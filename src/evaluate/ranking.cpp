// SPDX-License-Identifier: Apache-2.0
#include "evaluate/ranking.hpp"

#include "core/error.hpp"
#include "evaluate/rank.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace hg::evaluate {
namespace {

double gain_of(double grade, Gain gain) {
    switch (gain) {
        case Gain::linear:
            return grade;
        case Gain::exponential:
            return std::exp2(grade) - 1;
        case Gain::binary:
            return grade > 0 ? 1 : 0;
    }
    return grade;
}

double discount(double rank) {
    return 1.0 / std::log2(rank + 2.0);
}

bool is_before(const Judged& item, std::size_t k) {
    return item.grade > 0 && item.rank < static_cast<double>(k);
}

std::size_t n_relevant(std::span<const Judged> judged) {
    return static_cast<std::size_t>(std::ranges::count_if(judged, [](const Judged& j) {
        return j.grade > 0;
    }));
}

std::size_t hits(std::span<const Judged> judged, std::size_t k) {
    return static_cast<std::size_t>(std::ranges::count_if(judged, [k](const Judged& j) {
        return is_before(j, k);
    }));
}

double divisor(std::span<const Judged> judged, std::size_t k, Denominator denominator) {
    const auto relevant = n_relevant(judged);
    return static_cast<double>(
        denominator == Denominator::all_relevant ? relevant : std::min(k, relevant)
    );
}

double rank_in(std::span<const ScoredItem> answer, std::size_t place, TieRule ties) {
    const auto& wanted = answer[place];
    double rank = 0;
    for (std::size_t i = 0; i < answer.size(); ++i) {
        if (i == place) {
            continue;
        }
        if (answer[i].score > wanted.score) {
            rank += 1;
        } else if (answer[i].score == wanted.score) {
            switch (ties) {
                case TieRule::half:
                    rank += 0.5;
                    break;
                case TieRule::id_descending:
                    rank += answer[i].item > wanted.item ? 1 : 0;
                    break;
                case TieRule::as_listed:
                    rank += i < place ? 1 : 0;
                    break;
            }
        }
    }
    return rank;
}

}  // namespace

std::vector<Judged> judge_list(std::span<const ItemId> list, std::span<const Relevant> relevant) {
    std::vector<Judged> judged;
    judged.reserve(relevant.size());
    for (const auto& wanted : relevant) {
        const auto found = std::ranges::find(list, wanted.item);
        judged.push_back({
            .rank = found == list.end() ? not_ranked : static_cast<double>(found - list.begin()),
            .grade = wanted.grade,
        });
    }
    return judged;
}

std::vector<Judged> judge_answer(
    std::span<const ScoredItem> answer, std::span<const Relevant> relevant, TieRule ties
) {
    std::vector<Judged> judged;
    judged.reserve(relevant.size());
    for (const auto& wanted : relevant) {
        const auto found = std::ranges::find(answer, wanted.item, &ScoredItem::item);
        const auto place = static_cast<std::size_t>(found - answer.begin());
        judged.push_back({
            .rank = found == answer.end() ? not_ranked : rank_in(answer, place, ties),
            .grade = wanted.grade,
        });
    }
    return judged;
}

std::vector<Judged> judge_scores(std::span<const float> scores, std::span<const ItemId> targets) {
    std::vector<Judged> judged;
    judged.reserve(targets.size());
    for (const auto target : targets) {
        HG_CHECK(target.index() < scores.size(), "target outside the catalogue");
        const bool is_masked = !std::isfinite(scores[target.index()]);
        judged.push_back({.rank = is_masked ? not_ranked : rank_of(scores, target.index())});
    }
    return judged;
}

double ndcg_at(std::span<const Judged> judged, std::size_t k, Gain gain) {
    double dcg = 0;
    std::vector<double> gains;
    for (const auto& item : judged) {
        if (item.grade <= 0) {
            continue;
        }
        gains.push_back(gain_of(item.grade, gain));
        if (is_before(item, k)) {
            dcg += gains.back() * discount(item.rank);
        }
    }
    std::ranges::sort(gains, std::greater{});
    double ideal = 0;
    for (std::size_t rank = 0; rank < std::min(k, gains.size()); ++rank) {
        ideal += gains[rank] * discount(static_cast<double>(rank));
    }
    // min: a tie across the cut puts both halves before it, which may count one place too many.
    return ideal > 0 ? std::min(1.0, dcg / ideal) : 0;
}

double hit_at(std::span<const Judged> judged, std::size_t k) {
    return hits(judged, k) > 0 ? 1 : 0;
}

double recall_at(std::span<const Judged> judged, std::size_t k, Denominator denominator) {
    const double relevant = divisor(judged, k, denominator);
    return relevant > 0 ? std::min(1.0, static_cast<double>(hits(judged, k)) / relevant) : 0;
}

double precision_at(std::span<const Judged> judged, std::size_t k) {
    return k > 0 ? std::min(1.0, static_cast<double>(hits(judged, k)) / static_cast<double>(k)) : 0;
}

double f1_at(std::span<const Judged> judged, std::size_t k) {
    const double precision = precision_at(judged, k);
    const double recall = recall_at(judged, k);
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

double average_precision_at(
    std::span<const Judged> judged, std::size_t k, Denominator denominator
) {
    std::vector<double> ranks;
    for (const auto& item : judged) {
        if (is_before(item, k)) {
            ranks.push_back(item.rank);
        }
    }
    std::ranges::sort(ranks);
    double sum = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        sum += std::min(1.0, static_cast<double>(i + 1) / (ranks[i] + 1));
    }
    const double relevant = divisor(judged, k, denominator);
    return relevant > 0 ? std::min(1.0, sum / relevant) : 0;
}

double reciprocal_rank_at(std::span<const Judged> judged, std::size_t k) {
    double best = 0;
    for (const auto& item : judged) {
        if (is_before(item, k)) {
            best = std::max(best, 1.0 / (item.rank + 1));
        }
    }
    return best;
}

double r_precision(std::span<const Judged> judged) {
    return precision_at(judged, n_relevant(judged));
}

double rank_biased_precision(std::span<const Judged> judged, double persistence, Gain gain) {
    double sum = 0;
    for (const auto& item : judged) {
        if (item.grade > 0 && std::isfinite(item.rank)) {
            sum += gain_of(item.grade, gain) * std::pow(persistence, item.rank);
        }
    }
    return (1 - persistence) * sum;
}

UserMean mean_over_users(
    std::span<const double> values, std::size_t n_expected, MissingUsers rule
) {
    HG_CHECK(n_expected >= values.size(), "more answers than users");
    UserMean result{
        .mean = 0,
        .n_users = rule == MissingUsers::count_zero ? n_expected : values.size(),
        .n_missing = n_expected - values.size(),
    };
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    if (result.n_users > 0) {
        result.mean = sum / static_cast<double>(result.n_users);
    }
    return result;
}

}  // namespace hg::evaluate
