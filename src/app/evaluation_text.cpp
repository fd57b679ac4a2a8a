// SPDX-License-Identifier: Apache-2.0
// An Evaluation as a table for people and as JSON for machines.
#include "app/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::app {
namespace {

using nlohmann::json;

std::size_t name_width(const Evaluation& evaluation) {
    std::size_t width = 5;
    for (const auto& row : evaluation.rows) {
        width = std::max(width, row.name.size());
    }
    return width;
}

std::string signed_number(double value) {
    return fmt::format("{:+.4f}", value);
}

std::string difference_with_interval(const evaluate::PairedDifference& d) {
    return fmt::format(
        "{} [{}, {}]",
        signed_number(d.mean),
        signed_number(d.bootstrap.low),
        signed_number(d.bootstrap.high)
    );
}

std::string difference_text(const Evaluation& evaluation, const ModelRow& row) {
    if (row.name == evaluation.baseline) {
        return "baseline";
    }
    if (!row.difference) {
        return "";
    }
    return fmt::format("{} p={:.3f}", difference_with_interval(*row.difference), row.p_holm);
}

void add_main_table(std::string& text, const Evaluation& e, std::size_t width) {
    text += fmt::format(
        "{:<{}}  {:>7} {:>7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>7} {:>7} {:>7}  {}\n",
        "model",
        width,
        fmt::format("NDCG@{}", e.k),
        fmt::format("HR@{}", e.k),
        fmt::format("rec@{}", e.k),
        fmt::format("MRR@{}", e.k),
        "cover",
        "Gini",
        "nov.",
        "head",
        "fit s",
        "score s",
        e.baseline.empty() ? "" : fmt::format("NDCG - {} [95 %], Holm p", e.baseline)
    );
    for (const auto& row : e.rows) {
        if (!row.refused.empty()) {
            text += fmt::format("{:<{}}  not run: {}\n", row.name, width, row.refused);
            continue;
        }
        text += fmt::format(
            "{:<{}}  {:>7.4f} {:>7.4f} {:>7.4f} {:>7.4f} {:>6.1f}% {:>6.3f} {:>6.2f} {:>6.1f}% "
            "{:>7.2f} "
            "{:>7.2f}  {}\n",
            row.name,
            width,
            row.ndcg,
            row.hit,
            row.recall,
            row.reciprocal_rank,
            100 * row.coverage,
            row.gini,
            row.novelty_bits,
            100 * row.head_share,
            row.fit_seconds,
            row.score_seconds,
            difference_text(e, row)
        );
    }
}

void add_metrics(std::string& text, const Evaluation& e, std::size_t width) {
    for (std::size_t i = 0; i < e.n_metrics_asked; ++i) {
        const auto& metric = *e.metrics[i];
        text += fmt::format("\n{}: {}\n", metric.name, metric.summary);
        for (const auto& row : e.rows) {
            if (!row.refused.empty()) {
                continue;
            }
            const auto& value = row.metrics[i];
            text += fmt::format(
                "  {:<{}}  {}\n", row.name, width, value ? fmt::format("{:.4f}", *value) : "-"
            );
        }
    }
}

void add_curve(std::string& text, const Evaluation& e, std::size_t width) {
    if (e.contexts.empty()) {
        return;
    }
    text += fmt::format("\nNDCG@{} after k events\n{:<{}}", e.k, "model", width);
    for (const auto k : e.contexts) {
        text += fmt::format("  {:>7}", fmt::format("k={}", k));
    }
    text += fmt::format("  {:>7}  {:>7}  {:>7}\n", "area", "match", "unpop.");
    for (const auto& row : e.rows) {
        if (!row.refused.empty()) {
            continue;
        }
        text += fmt::format("{:<{}}", row.name, width);
        for (const double value : row.curve) {
            text += fmt::format("  {:>7.4f}", value);
        }
        const auto match = row.events_to_match ? fmt::format("k={}", *row.events_to_match) : "-";
        text += fmt::format(
            "  {:>7.4f}  {:>7}  {:>6.1f}%\n", row.curve_area, match, 100 * row.unpopular_hit
        );
    }
    text += fmt::format(
        "area: mean over log2(k + 1); match: first as good as item_knn at k={}; unpop.: lists with "
        "a hit\noutside the 100 most popular items\n",
        e.contexts.back()
    );
}

void add_against_best(std::string& text, const Evaluation& e) {
    if (e.against_best.empty()) {
        return;
    }
    text += fmt::format(
        "\n{} - the best other row after k events, NDCG@{} [95 %], Holm p; in the file's order\n",
        e.challenger,
        e.k
    );
    for (const auto& point : e.against_best) {
        text += fmt::format(
            "{:>6}  {} p={:.4f}  {}  {}\n",
            fmt::format("k={}", point.context),
            difference_with_interval(point.difference),
            point.p_holm,
            difference_with_interval(point.in_file_order),
            point.best
        );
    }
}

void add_groups(std::string& text, const Evaluation& e, std::size_t width) {
    if (e.groups.empty()) {
        return;
    }
    text += fmt::format("\nNDCG@{} [95 %] by users and items\n", e.k);
    for (std::size_t g = 0; g < e.groups.size(); ++g) {
        const auto& group = e.groups[g];
        text += fmt::format(
            "{}: {} users, {} items to rank, {:.1f} targets each\n",
            group.name,
            group.n_users,
            group.n_candidates,
            group.targets
        );
        for (const auto& row : e.rows) {
            if (!row.refused.empty()) {
                continue;
            }
            const auto& result = row.groups[g];
            text += fmt::format(
                "  {:<{}}  {:.4f} [{:.4f}, {:.4f}]  HR {:.4f}  cover {:>5.1f}%  unpop. {:>5.1f}%",
                row.name,
                width,
                result.ndcg,
                result.interval.low,
                result.interval.high,
                result.hit,
                100 * result.coverage,
                100 * result.unpopular_hit
            );
            if (const auto& d = result.difference) {
                text += "  " + difference_with_interval(*d);
            }
            text += '\n';
        }
    }
}

json interval_json(const evaluate::Interval& interval) {
    return {interval.low, interval.high};
}

json difference_json(const evaluate::PairedDifference& d) {
    return {
        {"mean", d.mean},
        {"bootstrap_95", interval_json(d.bootstrap)},
        {"t_95", interval_json(d.t)},
        {"p", d.p_value},
        {"n_users", d.n},
    };
}

json row_json(const Evaluation& e, const ModelRow& row) {
    if (!row.refused.empty()) {
        return {{"model", row.name}, {"refused", row.refused}};
    }
    json result{
        {"model", row.name},
        {"ndcg", row.ndcg},
        {"ndcg_95", interval_json(row.ndcg_interval)},
        {"hit_rate", row.hit},
        {"recall", row.recall},
        {"precision", row.precision},
        {"map", row.average_precision},
        {"mrr", row.reciprocal_rank},
        {"coverage", row.coverage},
        {"gini", row.gini},
        {"novelty_bits", row.novelty_bits},
        {"popularity_share", row.head_share},
        {"unpopular_hit_rate", row.unpopular_hit},
        {"fit_seconds", row.fit_seconds},
        {"score_seconds", row.score_seconds},
        {"warnings", row.warnings},
    };
    for (std::size_t i = 0; i < row.metrics.size(); ++i) {
        if (row.metrics[i]) {
            result[std::string{e.metrics[i]->name}] = *row.metrics[i];
        }
    }
    if (row.difference) {
        result["difference_to_baseline"] = difference_json(*row.difference);
        result["difference_to_baseline"]["p_holm"] = row.p_holm;
    }
    for (std::size_t i = 0; i < row.curve.size(); ++i) {
        json point{
            {"context", e.contexts[i]}, {"ndcg", row.curve[i]}, {"hit_rate", row.hit_curve[i]}
        };
        if (i < row.curve_differences.size() && row.curve_differences[i]) {
            point["difference_to_baseline"] = difference_json(*row.curve_differences[i]);
        }
        result["curve"].push_back(std::move(point));
    }
    if (!row.curve.empty()) {
        result["curve_area"] = row.curve_area;
        result["events_to_match_item_knn"] =
            row.events_to_match ? json(*row.events_to_match) : json{};
    }
    for (std::size_t i = 0; i < row.segments.size(); ++i) {
        result["segments"].push_back({
            {"history", e.segments[i].name},
            {"queries", e.segments[i].n_queries},
            {"ndcg", row.segments[i]},
        });
    }
    for (std::size_t g = 0; g < row.groups.size(); ++g) {
        json group{
            {"group", e.groups[g].name},
            {"ndcg", row.groups[g].ndcg},
            {"ndcg_95", interval_json(row.groups[g].interval)},
            {"hit_rate", row.groups[g].hit},
            {"coverage", row.groups[g].coverage},
            {"unpopular_hit_rate", row.groups[g].unpopular_hit},
        };
        if (row.groups[g].difference) {
            group["difference_to_baseline"] = difference_json(*row.groups[g].difference);
        }
        result["groups"].push_back(std::move(group));
    }
    return result;
}

}  // namespace

std::string to_text(const Evaluation& e) {
    const auto width = name_width(e);
    std::string text = fmt::format(
        "{}: {}\n{} users, {} queries, {}; seed {}\n\n",
        e.dataset,
        e.protocol,
        e.n_users,
        e.n_queries,
        e.ranking,
        e.seed
    );
    add_main_table(text, e, width);
    add_metrics(text, e, width);
    add_curve(text, e, width);
    add_against_best(text, e);
    add_groups(text, e, width);
    text +=
        "\ncover: share of the catalogue shown; Gini: 0 = all items equally; nov.: bits, more = "
        "less known; "
        "head: share\nof the most popular fifth. Ties count half; a user without an answer counts "
        "0 "
        "(docs/concepts/metrics.md).\n";
    for (const auto& note : e.notes) {
        text += fmt::format("note: {}\n", note);
    }
    for (const auto& row : e.rows) {
        for (const auto& warning : row.warnings) {
            text += fmt::format("warning: {}: {}\n", row.name, warning);
        }
    }
    return text;
}

json to_json(const Evaluation& e) {
    json result{
        {"format_version", 1},
        {"dataset", {{"name", e.dataset}, {"hash", e.dataset_hash}}},
        {"protocol", to_string(e.kind)},
        {"protocol_label", e.protocol},
        {"ranking", e.ranking},
        {"k", e.k},
        {"users", e.n_users},
        {"queries", e.n_queries},
        {"train_events", e.n_train_events},
        {"seed", e.seed},
        {"baseline", e.baseline.empty() ? json{} : json(e.baseline)},
        {"notes", e.notes},
        {"rows", json::array()},
    };
    for (const auto& point : e.against_best) {
        auto one = difference_json(point.difference);
        one["context"] = point.context;
        one["best_other"] = point.best;
        one["p_holm"] = point.p_holm;
        one["in_file_order"] = difference_json(point.in_file_order);
        result["against_best"][e.challenger].push_back(std::move(one));
    }
    for (const auto& group : e.groups) {
        result["groups"].push_back({
            {"name", group.name},
            {"users", group.n_users},
            {"queries", group.n_queries},
            {"candidates", group.n_candidates},
            {"mean_targets", group.targets},
        });
    }
    for (const auto& row : e.rows) {
        result["rows"].push_back(row_json(e, row));
    }
    return result;
}

}  // namespace hg::app
