// SPDX-License-Identifier: Apache-2.0
#include "train/fit_blend.hpp"

#include "core/top_k.hpp"
#include "data/shuffled.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace hg::train {
namespace {

constexpr std::size_t list_length = 10;
constexpr std::size_t min_users = 20;
constexpr std::size_t most_orders = 4;  // in which a user is asked where order means nothing
constexpr std::size_t max_floats = 48'000'000;  // of z-scores held at once: 192 MB

/// One held-out user at one knot: what is shown, what is asked for.
struct Case {
    data::History context;
    std::vector<std::uint32_t> targets;
    std::size_t n_asked = 0;  // of the targets, drawn at random: fewer than there are where order
                              // means nothing, and what is judged then is the expectation
};

/// The liked items of a history from `first` on that are not among those before it, each once.
std::vector<std::uint32_t> new_items(const data::History& history, std::size_t first) {
    std::vector<std::uint32_t> found;
    const auto shown = history.items.first(first);
    for (std::size_t i = first; i < history.size(); ++i) {
        const auto item = history.items[i];
        const bool is_seen = std::ranges::find(shown, item) != shown.end();
        if (history.weight(i) > 0 && !is_seen &&
            std::ranges::find(found, item.value) == found.end()) {
            found.push_back(item.value);
        }
    }
    return found;
}

/// The first k events against the next ten; at the last knot all but the last ten. Where order
/// means nothing, any ten of the others may be next.
std::vector<Case> cases_at(
    std::span<const data::History> histories, std::size_t knot, EventOrder order
) {
    std::vector<Case> cases;
    const auto k = Blend::knots[knot];
    const bool is_last = knot + 1 == Blend::knots.size();
    for (const auto& history : histories) {
        const auto n = history.size();
        if (n <= k) {
            continue;
        }
        const auto shown = is_last ? std::max(k, n - std::min(n, list_length)) : k;
        Case one{.context = history.head(shown), .targets = new_items(history, shown)};
        one.n_asked = std::min(list_length, one.targets.size());
        if (order == EventOrder::matters) {
            one.targets.resize(one.n_asked);
        }
        if (!one.targets.empty()) {
            cases.push_back(std::move(one));
        }
    }
    return cases;
}

/// Expected over which of the targets are asked for.
double ndcg(std::span<const float> scores, const Case& one) {
    const auto best = top_k(scores, list_length);
    double gain = 0;
    double ideal = 0;
    for (std::size_t rank = 0; rank < best.size(); ++rank) {
        if (std::ranges::find(one.targets, best[rank].index) != one.targets.end()) {
            gain += 1 / std::log2(static_cast<double>(rank) + 2);
        }
    }
    for (std::size_t rank = 0; rank < one.n_asked; ++rank) {
        ideal += 1 / std::log2(static_cast<double>(rank) + 2);
    }
    const auto share_asked =
        static_cast<double>(one.n_asked) / static_cast<double>(one.targets.size());
    return share_asked * gain / ideal;
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
            total += ndcg(sum, cases_[row]);
        }
        return total / static_cast<double>(cases_.size());
    }

    /// Improves `weights` in place from `value`; returns the value reached.
    double climb(std::span<float> weights, double value) {
        constexpr std::array factors{0.0F, 0.5F, 0.75F, 1.33F, 2.0F};
        // 0.03: the z-scores of linear models reach 40, where others reach 8.
        constexpr std::array steps{0.03F, 0.1F, 0.3F};
        constexpr int max_rounds = 4;
        constexpr double worthwhile = 1e-5;
        for (int round = 0; round < max_rounds; ++round) {
            const double before = value;
            for (std::size_t p = 0; p < weights.size(); ++p) {
                const float old = weights[p];
                const bool is_last = std::ranges::count(weights, 0.0F) + 1 == std::ssize(weights);
                std::vector<float> candidates;
                for (const float f : factors) {
                    if (old > 0 && (f > 0 || !is_last)) {  // something must rank
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
    const std::vector<Blend::Part>& parts, const HeldOutUsers& held_out, ProgressSink& progress
) {
    const auto n_knots = Blend::knots.size();
    const auto n_parts = parts.size();
    const auto n_items = parts.front().model->n_items();
    const auto limit = std::max<std::size_t>(min_users, max_floats / (n_items * n_parts));
    const auto users = held_out.histories.first(std::min(limit, held_out.histories.size()));
    std::vector<data::History> asked(users.begin(), users.end());
    std::vector<data::HistoryBuffer> owners;
    if (held_out.order == EventOrder::means_nothing && !users.empty()) {
        const auto n_orders = std::min(most_orders, limit / users.size());
        for (std::size_t i = 1; i < n_orders; ++i) {
            auto rng = held_out.rng.split(i);
            for (const auto& user : users) {
                owners.push_back(data::shuffled(user, rng));
            }
        }
    }
    for (const auto& owner : owners) {
        asked.push_back(owner.view());
    }
    BlendWeights fitted{
        .weights = Matrix<float>(n_knots, n_parts),
        .ndcg = std::vector<double>(n_knots),
        .single_ndcg = Matrix<float>(n_knots, n_parts),
        .n_users = std::vector<std::size_t>(n_knots),
    };
    Progress bar{progress, "blend weights", n_knots, "knots"};
    for (std::size_t knot = 0; knot < n_knots; ++knot) {
        const auto cases = cases_at(asked, knot, held_out.order);
        fitted.n_users[knot] = static_cast<std::size_t>(std::ranges::count_if(
            users,
            [knot](const data::History& history) { return history.size() > Blend::knots[knot]; }
        ));
        if (fitted.n_users[knot] < min_users || cases.empty()) {
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
