// SPDX-License-Identifier: Apache-2.0
#include "train/fit_blend.hpp"

#include "core/top_k.hpp"
#include "data/shuffled.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace hg::train {
namespace {

constexpr std::size_t list_length = 10;
constexpr std::size_t min_users = 20;
constexpr std::size_t enough_users = 100;  // to leave those out who have no later events
constexpr std::size_t most_orders = 4;     // in which a user is asked where order means nothing
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

/// The first k events against ten later ones (BlendTargets); at the last knot all but the last ten.
/// Where order means nothing, any ten of the others may be next.
std::vector<Case> cases_at(
    std::span<const data::History> histories, std::size_t knot, const BlendTargets& targets
) {
    std::vector<Case> cases;
    const auto k = Blend::knots[knot];
    const bool is_last = knot + 1 == Blend::knots.size();
    for (const auto& history : histories) {
        const auto n = history.size();
        if (n <= k) {
            continue;
        }
        const auto last_ten = n - std::min(n, list_length);
        const auto shown = is_last ? std::max(k, last_ten) : k;
        const auto asked_from = targets.order == EventOrder::matters
                                    ? std::max(shown, std::min(targets.after, last_ten))
                                    : shown;
        Case one{.context = history.head(shown), .targets = new_items(history, asked_from)};
        one.n_asked = std::min(list_length, one.targets.size());
        if (targets.order == EventOrder::matters) {
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
    /// cases[i] belong to trials[i].
    Climb(std::span<const BlendTrial> trials, const std::vector<std::vector<Case>>& cases) {
        for (const auto& of_trial : cases) {
            std::ranges::copy(of_trial, std::back_inserter(cases_));
        }
        const auto n_parts = trials.front().parts.size();
        const auto n_items = trials.front().parts.front().model->n_items();
        for (std::size_t p = 0; p < n_parts; ++p) {
            Matrix<float> scores(cases_.size(), n_items);
            std::size_t first = 0;
            for (std::size_t t = 0; t < trials.size(); ++t) {
                score(
                    *trials[t].parts[p].model,
                    cases[t],
                    scores.view().rows_slice(first, cases[t].size())
                );
                first += cases[t].size();
            }
            z_.push_back(std::move(scores));
        }
        combined_ = Matrix<float>(cases_.size(), n_items);
    }

    [[nodiscard]] std::size_t n_cases() const noexcept { return cases_.size(); }

    [[nodiscard]] double evaluate(std::span<const float> weights) {
        double total = 0;
        for (std::size_t row = 0; row < cases_.size(); ++row) {
            total += evaluate(weights, row);
        }
        return total / static_cast<double>(cases_.size());
    }

    /// NDCG@10 of one case.
    [[nodiscard]] double evaluate(std::span<const float> weights, std::size_t row) {
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
        return ndcg(sum, cases_[row]);
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
    static void score(
        const Recommender& model, const std::vector<Case>& cases, MatrixView<float> out
    ) {
        std::vector<data::History> contexts;
        for (const auto& one : cases) {
            contexts.push_back(one.context);
        }
        constexpr std::size_t batch = 256;
        for (std::size_t first = 0; first < cases.size(); first += batch) {
            const auto count = std::min(batch, cases.size() - first);
            model.score(std::span{contexts}.subspan(first, count), out.rows_slice(first, count));
        }
        for (std::size_t row = 0; row < cases.size(); ++row) {
            standardise(out.row(row), cases[row].context.items);
        }
    }

    std::vector<Case> cases_;
    std::vector<Matrix<float>> z_;
    Matrix<float> combined_;
};

/// The users of a trial, and where order means nothing the same users in other orders.
struct Asked {
    std::vector<data::History> histories;
    std::vector<data::HistoryBuffer> owners;
    std::size_t n_users = 0;
};

/// The first `limit`, those with events beyond targets.after first, and only those where they are
/// enough: the others would be asked for what comes next.
std::vector<data::History> chosen_of(
    std::span<const data::History> held_out, const BlendTargets& targets, std::size_t limit
) {
    std::vector<data::History> users(held_out.begin(), held_out.end());
    if (targets.order == EventOrder::matters) {
        const auto rest = std::ranges::stable_partition(users, [&](const data::History& history) {
            return history.size() > targets.after;
        });
        const auto n_long = users.size() - rest.size();
        if (n_long >= enough_users) {
            users.resize(n_long);
        }
    }
    users.resize(std::min(limit, users.size()));
    return users;
}

Asked asked_of(
    const BlendTrial& trial, const BlendTargets& targets, const Rng& rng, std::size_t limit
) {
    Asked asked;
    asked.histories = chosen_of(trial.held_out, targets, limit);
    asked.n_users = asked.histories.size();
    if (targets.order == EventOrder::means_nothing && asked.n_users > 0) {
        const auto n_orders = std::min(most_orders, limit / asked.n_users);
        for (std::size_t i = 1; i < n_orders; ++i) {
            auto own = rng.split(i);
            for (const auto& user : asked.histories) {
                asked.owners.push_back(data::shuffled(user, own));
            }
        }
    }
    for (const auto& owner : asked.owners) {
        asked.histories.push_back(owner.view());
    }
    return asked;
}

/// Is the blend better than one part by more than chance? Orders of the same user count once.
bool is_surely_better(
    Climb& climb, std::span<const float> weights, std::span<const float> alone, std::size_t n_users
) {
    constexpr double one_sided = 1.645;
    double sum = 0;
    double squares = 0;
    for (std::size_t row = 0; row < climb.n_cases(); ++row) {
        const auto difference = climb.evaluate(weights, row) - climb.evaluate(alone, row);
        sum += difference;
        squares += difference * difference;
    }
    const auto n = static_cast<double>(climb.n_cases());
    const auto mean = sum / n;
    const auto variance = std::max(0.0, squares / n - mean * mean);
    return mean > one_sided * std::sqrt(variance / static_cast<double>(n_users));
}

/// Users with more events than that are asked for something.
std::size_t users_beyond(std::span<const Asked> asked, std::size_t n_events) {
    std::size_t n_users = 0;
    for (const auto& one : asked) {
        n_users += static_cast<std::size_t>(std::ranges::count_if(
            std::span{one.histories}.first(one.n_users),
            [n_events](const data::History& history) { return history.size() > n_events; }
        ));
    }
    return n_users;
}

std::vector<float> one_part(std::size_t n_parts, std::size_t part) {
    std::vector<float> weights(n_parts, 0.0F);
    weights[part] = 1;
    return weights;
}

/// Fills the row of one knot, whose cases are not all empty.
void fit_knot(
    std::span<const BlendTrial> trials,
    const std::vector<std::vector<Case>>& cases,
    std::size_t knot,
    BlendWeights& fitted
) {
    const auto& parts = trials.front().parts;
    const auto n_parts = parts.size();
    Climb climb{trials, cases};
    const auto alone = fitted.single_ndcg.row(knot);
    for (std::size_t p = 0; p < n_parts; ++p) {
        alone[p] = static_cast<float>(climb.evaluate(one_part(n_parts, p)));
    }
    const auto best = static_cast<std::size_t>(std::ranges::max_element(alone) - alone.begin());
    auto weights = one_part(n_parts, best);
    fitted.ndcg[knot] = climb.climb(weights, static_cast<double>(alone[best]));
    const auto safe = static_cast<std::size_t>(
        std::ranges::find(parts, "popularity", &Blend::Part::name) - parts.begin()
    );
    if (Blend::knots[knot] == 0 && safe < n_parts &&
        !is_surely_better(climb, weights, one_part(n_parts, safe), fitted.n_users[knot])) {
        weights = one_part(n_parts, safe);
        fitted.ndcg[knot] = static_cast<double>(alone[safe]);
    }
    std::ranges::copy(weights, fitted.weights.row(knot).begin());
}

/// The knot before, or all parts alike.
void copy_knot(std::size_t knot, BlendWeights& fitted) {
    const auto row = fitted.weights.row(knot);
    if (knot > 0) {
        std::ranges::copy(fitted.weights.row(knot - 1), row.begin());
    } else {
        std::ranges::fill(row, 1.0F / static_cast<float>(row.size()));
    }
}

}  // namespace

BlendWeights fit_blend_weights(
    std::span<const BlendTrial> trials,
    const BlendTargets& targets,
    const Rng& rng,
    ProgressSink& progress
) {
    HG_CHECK(!trials.empty(), "weights need users to choose them on");
    const auto n_parts = trials.front().parts.size();
    const auto n_items = trials.front().parts.front().model->n_items();
    const auto limit =
        std::max<std::size_t>(min_users, max_floats / (n_items * n_parts * trials.size()));
    std::vector<Asked> asked;
    for (const auto& trial : trials) {
        asked.push_back(asked_of(trial, targets, rng, limit));
    }
    const auto n_knots = Blend::knots.size();
    BlendWeights fitted{
        .weights = Matrix<float>(n_knots, n_parts),
        .ndcg = std::vector<double>(n_knots),
        .single_ndcg = Matrix<float>(n_knots, n_parts),
        .n_users = std::vector<std::size_t>(n_knots),
    };
    Progress bar{progress, "blend weights", n_knots, "knots"};
    for (std::size_t knot = 0; knot < n_knots; ++knot) {
        std::vector<std::vector<Case>> cases;
        for (const auto& one : asked) {
            cases.push_back(cases_at(one.histories, knot, targets));
        }
        fitted.n_users[knot] = users_beyond(asked, Blend::knots[knot]);
        const bool is_empty = std::ranges::all_of(cases, &std::vector<Case>::empty);
        if (fitted.n_users[knot] < min_users || is_empty) {
            copy_knot(knot, fitted);
        } else {
            fit_knot(trials, cases, knot, fitted);
        }
        bar.advance();
    }
    return fitted;
}

}  // namespace hg::train
