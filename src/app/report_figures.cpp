// SPDX-License-Identifier: Apache-2.0
#include "app/report_figures.hpp"

#include "app/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace hg::app {
namespace {

constexpr std::size_t min_segment = 20;  // fewer users than this are noise, not a segment

std::vector<Series> series_of(
    const Evaluation& e, const Colours& colours, std::vector<double> ModelRow::* values
) {
    std::vector<Series> series;
    for (const auto& row : e.rows) {
        if ((row.*values).empty()) {
            continue;
        }
        series.push_back({
            .name = row.name,
            .colour = colours.at(row.name),
            .values = row.*values,
            .is_baseline = row.name == e.baseline,
        });
    }
    return series;
}

}  // namespace

std::string percent_text(double share) {
    return fmt::format("{:.1f} %", 100 * share);
}

std::string words_figure(const Evaluation& e) {
    const auto* best = best_row(e);
    if (best == nullptr) {
        return {};
    }
    std::string words = fmt::format(
        "<li><b>{}</b> ranks best: NDCG@{} {:.4f}; {} of the users find a held-out item among the "
        "first {}.</li>\n",
        escape_html(best->name),
        e.k,
        best->ndcg,
        percent_text(best->hit),
        e.k
    );
    if (best->difference) {
        const auto& d = *best->difference;
        words += fmt::format(
            "<li>Against {}: {:+.4f}, between {:+.4f} and {:+.4f}: {}.</li>\n",
            escape_html(e.baseline),
            d.mean,
            d.bootstrap.low,
            d.bootstrap.high,
            d.bootstrap.low > 0 ? "better, with 95 % confidence" : "not shown to be better"
        );
    }
    std::size_t n_better = 0;
    std::size_t n_compared = 0;
    for (const auto& row : e.rows) {
        if (!row.difference) {
            continue;
        }
        ++n_compared;
        n_better += row.difference->mean > 0 && row.p_holm <= 0.05 ? 1 : 0;
    }
    if (n_compared > 0) {
        words += fmt::format(
            "<li>{} of {} models beat {} after correction for the number of rows (Holm, 5 "
            "%).</li>\n",
            n_better,
            n_compared,
            escape_html(e.baseline)
        );
    }
    words += fmt::format(
        "<li>{} shows {} of the catalogue; {} of what it shows is in the most popular "
        "fifth.</li>\n",
        escape_html(best->name),
        percent_text(best->coverage),
        percent_text(best->head_share)
    );
    return "<figure class=\"words\"><h3>In words</h3><ul>\n" + words + "</ul></figure>\n";
}

std::string curve_figure(const Evaluation& e, const Colours& colours) {
    if (e.contexts.empty()) {
        return {};
    }
    std::vector<std::string> categories;
    for (const auto k : e.contexts) {
        categories.push_back(std::to_string(k));
    }
    const auto series = series_of(e, colours, &ModelRow::curve);
    return figure(
        "Few-shot curve",
        "How good the list is after the first k events of a user never trained on.",
        line_chart(
            {.title = "few-shot curve",
             .x_label = "events known of the user",
             .y_label = fmt::format("NDCG@{}", e.k)},
            categories,
            series
        )
    );
}

std::string differences_figure(const Evaluation& e, const Colours& colours) {
    std::vector<IntervalBar> bars;
    for (const auto& row : e.rows) {
        if (!row.difference) {
            continue;
        }
        bars.push_back({
            .name = row.name,
            .colour = colours.at(row.name),
            .mean = row.difference->mean,
            .low = row.difference->bootstrap.low,
            .high = row.difference->bootstrap.high,
        });
    }
    if (bars.empty()) {
        return {};
    }
    std::ranges::stable_sort(bars, std::greater{}, &IntervalBar::mean);
    const auto title = fmt::format("Better than {}?", e.baseline);
    return figure(
        title,
        "The same users, paired; 95 % bootstrap intervals. An interval that touches zero shows no "
        "difference.",
        interval_chart(
            {.title = title, .x_label = fmt::format("difference in NDCG@{}", e.k), .y_label = ""},
            bars
        )
    );
}

std::string segments_figure(const Evaluation& e, const Colours& colours) {
    if (!e.contexts.empty()) {
        return {};
    }  // the few-shot curve says it better
    std::vector<std::string> categories;
    auto series = series_of(e, colours, &ModelRow::segments);
    for (auto& line : series) {
        line.values.clear();
    }
    for (std::size_t i = 0; i < e.segments.size(); ++i) {
        const auto& segment = e.segments[i];
        if (segment.n_queries < min_segment) {
            continue;
        }
        categories.push_back(fmt::format("{}\nn={}", segment.name, segment.n_queries));
        std::size_t line = 0;
        for (const auto& row : e.rows) {
            if (!row.segments.empty()) {
                series[line++].values.push_back(row.segments[i]);
            }
        }
    }
    if (categories.size() < 2) {
        return {};
    }
    return figure(
        "Who is served how well",
        fmt::format(
            "Users by the events in their history; n = users asked, groups below {} are left out.",
            min_segment
        ),
        line_chart(
            {.title = "accuracy by length of history",
             .x_label = "events in the history",
             .y_label = fmt::format("NDCG@{}", e.k)},
            categories,
            series
        )
    );
}

std::string popularity_figure(const Evaluation& e, const Colours& colours) {
    std::vector<Point> points;
    for (const auto& row : e.rows) {
        if (!row.refused.empty()) {
            continue;
        }
        points.push_back(
            {.name = row.name, .colour = colours.at(row.name), .x = row.head_share, .y = row.ndcg}
        );
    }
    return figure(
        "Accuracy against popularity",
        "Up is more accurate, left is less of what everybody already knows.",
        scatter_chart(
            {.title = "accuracy against popularity",
             .x_label = "share of shown items from the most popular fifth",
             .y_label = fmt::format("NDCG@{}", e.k)},
            points
        )
    );
}

}  // namespace hg::app
