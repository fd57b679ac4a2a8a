// SPDX-License-Identifier: Apache-2.0
#include "train/fit_blend.hpp"

#include "core/top_k.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace hg::train {
namespace {

constexpr std::size_t list_length = 10;
constexpr std::size_t min_users = 20;
constexpr std::size_t max_floats = 48'000'000;  // of z-scores held at once: 192 MB

/// One held-out user at one knot: what is shown, what is asked for.
struct Case {
    data::History context;
    std::vector<std::uint32_t> targets;
};

/// The first k events against the next ten; at the last knot all but the last ten.
std::vector<Case> cases_at(
    std::span<const data::History> held_out, std::size_t k, bool is_last, std::size_t limit
) {
    std::vector<Case> cases;
    for (const auto& history : held_out) {
        const auto n = history.size();
        if (n <= k || cases.size() == limit) {
            continue;
        }
        const auto shown = is_last ? std::max(k, n - std::min(n, list_length)) : k;
        Case one{.context = history.head(shown), .targets = {}};
        for (std::size_t i = shown; i < n && one.targets.size() < list_length; ++i) {
            const auto item = history.items[i];
            const bool is_seen =
                std::ranges::find(one.context.items, item) != one.context.items.end();
            const bool is_listed = std::ranges::find(one.targets, item.value) != one.targets.end();
            if (history.weight(i) > 0 && !is_seen && !is_listed) {
                one.targets.push_back(item.value);
            }
        }
        if (!one.targets.empty()) {
            cases.push_back(std::move(one));
        }
    }
    return cases;
}

double ndcg(std::span<const float> scores, const std::vector<std::uint32_t>& targets) {
    const auto best = top_k(scores, list_length);
    double gain = 0;
    double ideal = 0;
    for (std::size_t rank = 0; rank < best.size(); ++rank) {
        if (std::ranges::find(targets, best[rank].index) != targets.end()) {
            gain += 1 / std::log2(static_cast<double>(rank) + 2);
        }
    }
    for (std::size_t rank = 0; rank < std::min(list_length, targets.size()); ++rank) {
        ideal += 1 / std::log2(static_cast<double>(rank) + 2);
    }
    return gain / ideal;
}

/// The z-scores of every part for the cases of one knot, and the climb over their weights.
class Climb {
  public:
    Climb(const std::vector<Blend::Part>& parts, const std::vector<Case>& cases) : cases_(cases) {
        std::vector<data::History> contexts;
        for (const auto& one : cases) {
            contexts.push_back(one.context);
        }
        for (const auto& part : parts) {
            Matrix<float> scores(cases.size(), part.model->n_items());
            constexpr std::size_t batch = 256;
            for (std::size_t first = 0; first < cases.size(); first += batch) {
                const auto count = std::min(batch, cases.size() - first);
                part.model->score(
                    std::span{contexts}.subspan(first, count),
                    scores.view().rows_slice(first, count)
                );
            }
            for (std::size_t row = 0; row < cases.size(); ++row) {
                standardise(scores.row(row), cases[row].context.items);
            }
            z_.push_back(std::move(scores));
        }
        combined_ = Matrix<float>(cases.size(), z_.front().cols());
    }

    [[nodiscard]] double evaluate(std::span<const float> weights) {
        double total = 0;
        for (std::size_t row = 0; row < cases_.size(); ++row) {
            const auto sum = combined_.row(row);
            std::ranges::fill(sum, 0.0F);
            for (std::size_t p = 0; p < z_.size(); ++p) {
                if (weights[p] == 0) {
                    continue;
                }
                const auto z = z_[p].row(row);
                for (std::size_t i = 0; i < sum.size(); ++i) {
                    sum[i] += weights[p] * z[i];
                }
            }
            mask(sum, cases_[row].context.items);
            total += ndcg(sum, cases_[row].targets);
        }
        return total / static_cast<double>(cases_.size());
    }

    /// Improves `weights` in place from `value`; returns the value reached.
    double climb(std::span<float> weights, double value) {
        constexpr std::array factors{0.0F, 0.5F, 0.75F, 1.33F, 2.0F};
        constexpr std::array steps{0.1F, 0.3F};
        constexpr int max_rounds = 4;
        constexpr double worthwhile = 1e-5;
        for (int round = 0; round < max_rounds; ++round) {
            const double before = value;
            for (std::size_t p = 0; p < weights.size(); ++p) {
                const float old = weights[p];
                std::vector<float> candidates;
                for (const float f : factors) {
                    if (old > 0) {
                        candidates.push_back(old * f);
                    }
                }
                for (const float s : steps) {
                    candidates.push_back(old + s);
                }
                float best = old;
                for (const float candidate : candidates) {
                    weights[p] = candidate;
                    if (const double reached = evaluate(weights); reached > value + worthwhile) {
                        value = reached;
                        best = candidate;
                    }
                }
                weights[p] = best;
            }
            if (value - before < worthwhile) {
                break;
            }
        }
        return value;
    }

  private:
    const std::vector<Case>& cases_;
    std::vector<Matrix<float>> z_;
    Matrix<float> combined_;
};

}  // namespace

BlendWeights fit_blend_weights(
    const std::vector<Blend::Part>& parts,
    std::span<const data::History> held_out,
    ProgressSink& progress
) {
    const auto n_knots = Blend::knots.size();
    const auto n_parts = parts.size();
    const auto n_items = parts.front().model->n_items();
    const auto limit = std::max<std::size_t>(min_users, max_floats / (n_items * n_parts));
    BlendWeights fitted{
        .weights = Matrix<float>(n_knots, n_parts),
        .ndcg = std::vector<double>(n_knots),
        .single_ndcg = Matrix<float>(n_knots, n_parts),
        .n_users = std::vector<std::size_t>(n_knots),
    };
    Progress bar{progress, "blend weights", n_knots, "knots"};
    for (std::size_t knot = 0; knot < n_knots; ++knot) {
        const auto cases = cases_at(held_out, Blend::knots[knot], knot + 1 == n_knots, limit);
        fitted.n_users[knot] = cases.size();
        if (cases.size() < min_users) {
            for (std::size_t p = 0; p < n_parts; ++p) {
                fitted.weights(knot, p) =
                    knot > 0 ? fitted.weights(knot - 1, p) : 1.0F / static_cast<float>(n_parts);
            }
            bar.advance();
            continue;
        }
        Climb climb{parts, cases};
        std::vector<float> weights(n_parts, 0.0F);
        std::size_t best = 0;
        for (std::size_t p = 0; p < n_parts; ++p) {
            std::vector<float> alone(n_parts, 0.0F);
            alone[p] = 1;
            fitted.single_ndcg(knot, p) = static_cast<float>(climb.evaluate(alone));
            if (fitted.single_ndcg(knot, p) > fitted.single_ndcg(knot, best)) {
                best = p;
            }
        }
        weights[best] = 1;
        fitted.ndcg[knot] =
            climb.climb(weights, static_cast<double>(fitted.single_ndcg(knot, best)));
        std::ranges::copy(weights, fitted.weights.row(knot).begin());
        bar.advance();
    }
    return fitted;
}

}  // namespace hg::train
