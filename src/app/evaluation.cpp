// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation.hpp"

#include "app/learning_curve.hpp"
#include "app/query_index.hpp"
#include "core/mean.hpp"
#include "evaluate/exposure.hpp"
#include "evaluate/novelty.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

namespace hg::app {
namespace {

using evaluate::ItemList;

struct Range {
    const char* name;
    std::size_t min;
    std::size_t max;
};

constexpr std::array history_ranges{
    Range{"0", 0, 0},
    Range{"1-4", 1, 4},
    Range{"5-9", 5, 9},
    Range{"10-19", 10, 19},
    Range{"20-49", 20, 49},
    Range{"50-99", 50, 99},
    Range{"100+", 100, static_cast<std::size_t>(-1)},
};

constexpr std::string_view match_row = "item_knn";

std::size_t range_of(std::size_t n_events) {
    for (std::size_t i = 0; i < history_ranges.size(); ++i) {
        if (n_events <= history_ranges[i].max) {
            return i;
        }
    }
    return history_ranges.size() - 1;
}

/// Per user after k events.
std::vector<double> at_context(
    std::span<const double> values, const QueryIndex& index, std::size_t k
) {
    return by_user_where(values, index, [k](const Query& query) { return query.context == k; });
}

std::vector<double> ndcg_at_context(
    const Outcome& outcome, const QueryIndex& index, std::size_t k
) {
    return at_context(outcome.accuracy.ndcg, index, k);
}

/// The same, asked in the order of the file only.
std::vector<double> ndcg_in_file_order(
    const Outcome& outcome, const QueryIndex& index, std::size_t k
) {
    return by_user_where(outcome.accuracy.ndcg, index, [k](const Query& query) {
        return query.context == k && query.order == 0;
    });
}

/// Of each query: does the list hold a target that is not among the most popular items?
std::vector<double> unpopular_hits(std::span<const ItemList> lists, const QueryIndex& index) {
    std::vector<double> hits;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto& targets = index.queries[i]->targets;
        const auto& is_popular = index.is_popular[index.trial[i]];
        const bool is_hit = std::ranges::any_of(lists[i], [&](ItemId item) {
            return is_popular[item.index()] == 0 &&
                   std::ranges::find(targets, item) != targets.end();
        });
        hits.push_back(is_hit ? 1 : 0);
    }
    return hits;
}

/// And what the JSON always holds.
std::vector<const ListMetric*> with_usual(std::vector<const ListMetric*> metrics) {
    const std::array<std::string, 4> usual{
        "effective_catalogue", "personalisation", "intra_list_diversity", "calibration_kl_nats"
    };
    for (const auto* metric : find_list_metrics(usual)) {
        if (std::ranges::find(metrics, metric) == metrics.end()) {
            metrics.push_back(metric);
        }
    }
    return metrics;
}

void add_list_metrics(
    ModelRow& row,
    const Outcome& outcome,
    const QueryIndex& index,
    const data::Dataset& dataset,
    const SummaryOptions& options,
    std::span<const ListMetric* const> metrics
) {
    const std::span<const ItemList> lists{outcome.lists};
    const auto shown = evaluate::count_exposure(lists, options.k, dataset.items.size());
    row.coverage = evaluate::coverage(shown);
    row.gini = evaluate::gini(shown);
    row.novelty_bits = evaluate::self_information_bits(lists, options.k, index.popularity);
    row.head_share = evaluate::head_share(lists, options.k, evaluate::head_items(index.popularity));
    const bool has_content =
        options.content != nullptr && options.content->n_items() == dataset.items.size();
    for (const auto* metric : metrics) {
        row.metrics.push_back(metric->value({
            .lists = lists,
            .index = index,
            .dataset = dataset,
            .k = options.k,
            .content = has_content ? options.content : nullptr,
            .is_sampled = options.sampled_negatives > 0,
        }));
    }
}

ModelRow row_of(
    const Outcome& outcome,
    const QueryIndex& index,
    const data::Dataset& dataset,
    const SummaryOptions& options,
    std::span<const ListMetric* const> metrics
) {
    ModelRow row;
    row.name = outcome.name;
    row.refused = outcome.refused;
    row.is_control = outcome.is_control;
    row.warnings = outcome.warnings;
    if (!row.refused.empty()) {
        return row;
    }
    const auto average = [&](std::span<const double> values) {
        return mean_of(by_user(values, index));
    };
    const auto& accuracy = outcome.accuracy;
    row.ndcg = average(accuracy.ndcg);
    row.hit = average(accuracy.hit);
    row.recall = average(accuracy.recall);
    row.precision = average(accuracy.precision);
    row.average_precision = average(accuracy.average_precision);
    row.reciprocal_rank = average(accuracy.reciprocal_rank);
    row.ndcg_interval = evaluate::bootstrap_interval(
        by_user(accuracy.ndcg, index), Rng{options.seed}.split("bootstrap")
    );
    row.fit_seconds = outcome.fit_seconds;
    row.score_seconds = outcome.score_seconds;
    row.unpopular_hit = average(unpopular_hits(outcome.lists, index));
    add_list_metrics(row, outcome, index, dataset, options, metrics);
    return row;
}

void add_differences(
    Evaluation& result,
    std::span<const Outcome> outcomes,
    const QueryIndex& index,
    const SummaryOptions& options
) {
    const auto base = std::ranges::find(outcomes, options.baseline, &Outcome::name);
    if (base == outcomes.end() || !base->refused.empty()) {
        return;
    }
    result.baseline = options.baseline;
    const Rng rng = Rng{options.seed}.split("bootstrap");
    std::vector<double> p_values;
    std::vector<ModelRow*> compared;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto& outcome = outcomes[i];
        if (&outcome == &*base || !outcome.refused.empty()) {
            continue;
        }
        auto& row = result.rows[i];
        row.difference = evaluate::paired_difference(
            by_user(outcome.accuracy.ndcg, index), by_user(base->accuracy.ndcg, index), rng
        );
        for (const auto k : result.contexts) {
            row.curve_differences.emplace_back(evaluate::paired_difference(
                ndcg_at_context(outcome, index, k), ndcg_at_context(*base, index, k), rng
            ));
        }
        if (outcome.is_control) {
            row.p_holm = row.difference->p_value;  // it competes with nobody
            continue;
        }
        p_values.push_back(row.difference->p_value);
        compared.push_back(&row);
    }
    const auto adjusted = evaluate::holm(p_values);
    for (std::size_t i = 0; i < compared.size(); ++i) {
        compared[i]->p_holm = adjusted[i];
    }
}

void add_curves_and_segments(
    Evaluation& result, std::span<const Outcome> outcomes, const QueryIndex& index
) {
    std::array<std::size_t, history_ranges.size()> counts{};
    for (const auto* query : index.queries) {
        ++counts[range_of(query->history.size())];
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!outcomes[i].refused.empty()) {
            continue;
        }
        const auto& ndcg = outcomes[i].accuracy.ndcg;
        auto& row = result.rows[i];
        for (const auto k : result.contexts) {
            row.curve.push_back(mean_of(ndcg_at_context(outcomes[i], index, k)));
            row.hit_curve.push_back(mean_of(at_context(outcomes[i].accuracy.hit, index, k)));
        }
        row.curve_area = area(result.contexts, row.curve);
        if (row.name == match_row && !row.curve.empty()) {
            result.match_level = row.curve.back();
        }
        for (std::size_t range = 0; range < history_ranges.size(); ++range) {
            if (counts[range] == 0) {
                continue;
            }
            row.segments.push_back(mean_of(by_user_where(ndcg, index, [range](const Query& query) {
                return range_of(query.history.size()) == range;
            })));
        }
    }
    for (auto& row : result.rows) {
        if (result.match_level) {
            row.events_to_match = first_to_reach(result.contexts, row.curve, *result.match_level);
        }
    }
    for (std::size_t range = 0; range < history_ranges.size(); ++range) {
        if (counts[range] > 0) {
            result.segments.push_back(
                {.name = history_ranges[range].name, .n_queries = counts[range]}
            );
        }
    }
}

/// The row with the highest NDCG after k events, `mine` left out; null when there is none.
const Outcome* best_other(
    std::span<const Outcome> outcomes, const Outcome& mine, const QueryIndex& index, std::size_t k
) {
    const Outcome* best = nullptr;
    double best_ndcg = 0;
    for (const auto& other : outcomes) {
        if (&other == &mine || other.is_control || !other.refused.empty()) {
            continue;
        }
        const double ndcg = mean_of(ndcg_at_context(other, index, k));
        if (best == nullptr || ndcg > best_ndcg) {
            best = &other;
            best_ndcg = ndcg;
        }
    }
    return best;
}

void add_against_best(
    Evaluation& result,
    std::span<const Outcome> outcomes,
    const QueryIndex& index,
    const SummaryOptions& options
) {
    const auto mine = std::ranges::find(outcomes, options.challenger, &Outcome::name);
    if (mine == outcomes.end() || !mine->refused.empty()) {
        return;
    }
    result.challenger = options.challenger;
    const Rng rng = Rng{options.seed}.split("bootstrap");
    std::vector<double> p_values;
    for (const auto k : result.contexts) {
        const auto* best = best_other(outcomes, *mine, index, k);
        if (best == nullptr) {
            return;
        }
        result.against_best.push_back({
            .context = k,
            .best = best->name,
            .difference = evaluate::paired_difference(
                ndcg_at_context(*mine, index, k), ndcg_at_context(*best, index, k), rng
            ),
            .in_file_order = evaluate::paired_difference(
                ndcg_in_file_order(*mine, index, k), ndcg_in_file_order(*best, index, k), rng
            ),
        });
        p_values.push_back(result.against_best.back().difference.p_value);
    }
    const auto adjusted = evaluate::holm(p_values);
    for (std::size_t i = 0; i < adjusted.size(); ++i) {
        result.against_best[i].p_holm = adjusted[i];
    }
}

/// The questions of one group and the answers to them.
struct GroupPart {
    Protocol protocol;
    std::vector<Outcome> outcomes;
};

GroupPart part_of_group(
    const Protocol& protocol, std::span<const Outcome> outcomes, std::size_t group
) {
    GroupPart part{protocol, {outcomes.begin(), outcomes.end()}};
    std::vector<std::uint8_t> is_kept;
    for (auto& trial : part.protocol.trials) {
        for (const auto& query : trial.queries) {
            is_kept.push_back(query.group == group ? 1 : 0);
        }
        std::erase_if(trial.queries, [group](const Query& q) { return q.group != group; });
    }
    const auto keep = [&is_kept](auto& values) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (is_kept[i] != 0) {
                std::swap(values[kept++], values[i]);
            }
        }
        values.resize(kept);
    };
    for (auto& outcome : part.outcomes) {
        auto& accuracy = outcome.accuracy;
        for (auto* values :
             {&accuracy.ndcg,
              &accuracy.hit,
              &accuracy.recall,
              &accuracy.precision,
              &accuracy.average_precision,
              &accuracy.reciprocal_rank}) {
            keep(*values);
        }
        keep(outcome.lists);
    }
    return part;
}

QueryGroup facts_of_group(const data::Dataset& dataset, const QueryIndex& index, std::string name) {
    QueryGroup group{.name = std::move(name), .n_users = index.n_users};
    group.n_queries = index.queries.size();
    for (const auto* query : index.queries) {
        group.n_candidates =
            query->candidates.empty() ? dataset.items.size() : query->candidates.size();
        group.targets +=
            static_cast<double>(query->targets.size()) / static_cast<double>(group.n_queries);
    }
    return group;
}

void add_groups(
    Evaluation& result,
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    const SummaryOptions& options
) {
    const Rng rng = Rng{options.seed}.split("bootstrap");
    for (std::size_t g = 0; g < protocol.groups.size(); ++g) {
        const auto part = part_of_group(protocol, outcomes, g);
        const auto index = index_of(dataset, part.protocol);
        if (index.queries.empty()) {
            continue;
        }
        result.groups.push_back(facts_of_group(dataset, index, protocol.groups[g]));
        const auto base = std::ranges::find(part.outcomes, result.baseline, &Outcome::name);
        for (std::size_t i = 0; i < part.outcomes.size(); ++i) {
            const auto& outcome = part.outcomes[i];
            if (!outcome.refused.empty()) {
                continue;
            }
            const auto ndcg = by_user(outcome.accuracy.ndcg, index);
            GroupResult row{.ndcg = mean_of(ndcg)};
            row.interval = evaluate::bootstrap_interval(ndcg, rng);
            row.hit = mean_of(by_user(outcome.accuracy.hit, index));
            const auto shown =
                evaluate::count_exposure(outcome.lists, options.k, dataset.items.size());
            row.coverage = static_cast<double>(evaluate::n_distinct(shown)) /
                           static_cast<double>(result.groups.back().n_candidates);
            row.unpopular_hit = mean_of(by_user(unpopular_hits(outcome.lists, index), index));
            if (base != part.outcomes.end() && &*base != &outcome) {
                row.difference =
                    evaluate::paired_difference(ndcg, by_user(base->accuracy.ndcg, index), rng);
            }
            result.rows[i].groups.push_back(row);
        }
    }
}

Evaluation summarise_one_group(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    const SummaryOptions& options
) {
    const auto index = index_of(dataset, protocol);
    Evaluation result;
    result.dataset = dataset.name;
    result.dataset_hash = dataset.hash;
    result.kind = protocol.kind;
    result.protocol = protocol.label;
    result.ranking =
        options.sampled_negatives == 0
            ? fmt::format("full ranking of {} items", dataset.items.size())
            : fmt::format(
                  "SAMPLED: each target against {} random items; never compare with full ranking",
                  options.sampled_negatives
              );
    result.k = options.k;
    result.n_users = index.n_users;
    result.n_queries = index.queries.size();
    result.n_train_events = protocol.trials.front().train.size();
    result.seed = options.seed;
    result.contexts = protocol.contexts;
    result.notes = protocol.notes;
    result.metrics = with_usual(options.metrics);
    result.n_metrics_asked = options.metrics.size();
    for (const auto& outcome : outcomes) {
        result.rows.push_back(row_of(outcome, index, dataset, options, result.metrics));
    }
    add_curves_and_segments(result, outcomes, index);
    add_differences(result, outcomes, index, options);
    add_against_best(result, outcomes, index, options);
    return result;
}

}  // namespace

Evaluation summarise(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    const SummaryOptions& options
) {
    if (protocol.groups.empty()) {
        return summarise_one_group(dataset, protocol, outcomes, options);
    }
    const auto first = part_of_group(protocol, outcomes, 0);
    auto result = summarise_one_group(dataset, first.protocol, first.outcomes, options);
    add_groups(result, dataset, protocol, outcomes, options);
    if (options.sampled_negatives == 0 && !result.groups.empty()) {
        result.ranking = fmt::format(
            "{}: full ranking of {} items", result.groups[0].name, result.groups[0].n_candidates
        );
    }
    return result;
}

const ModelRow* best_row(const Evaluation& e) {
    const ModelRow* best = nullptr;
    for (const auto& row : e.rows) {
        if (row.refused.empty() && !row.is_control && (best == nullptr || row.ndcg > best->ndcg)) {
            best = &row;
        }
    }
    return best;
}

}  // namespace hg::app
