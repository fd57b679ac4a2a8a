// SPDX-License-Identifier: Apache-2.0
#include "app/report.hpp"

#include "app/chart.hpp"
#include "app/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace hg::app {
namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ink: #1c2230; --soft: #5b6475; --line: #e3e6ec; --page: #fbfbfd; --card: #fff; --good: #00704f; --bad: #b3261e; --warn: #fff6e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaf0; --soft: #a3abbb; --line: #343b49; --page: #14171d; --card: #1c2029; --good: #4cc38a; --bad: #ff8a80; --warn: #3a2f12; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 44px 0 4px; } h3 { font-size: 15px; margin: 0 0 2px; }
p.lead, p.small { color: var(--soft); margin: 0 0 14px; } p.small { font-size: 13px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 18px 0; }
.facts div, figure, .table { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.facts div { padding: 10px 14px; } .facts b { display: block; font-size: 19px; } .facts span { color: var(--soft); font-size: 13px; }
.table { overflow-x: auto; margin: 12px 0; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 7px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; } tr:last-child td { border-bottom: 0; } td.best { font-weight: 700; } td.up { color: var(--good); } td.down { color: var(--bad); } td.text { text-align: left; color: var(--soft); white-space: normal; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 14px; }
figure.words ul { margin: 8px 0; padding-left: 20px; } figure.words li { margin: 6px 0; }
figure { margin: 0; padding: 14px 16px 8px; } figcaption { color: var(--soft); font-size: 13px; margin-bottom: 6px; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; } svg text { fill: var(--ink); } svg .tick { fill: var(--soft); font-size: 12px; } svg .axis { fill: var(--soft); font-size: 12px; } svg .grid { stroke: var(--line); stroke-width: 1; } svg .zero { stroke: var(--soft); stroke-width: 1.5; }
ul.notes { margin: 10px 0; padding: 10px 14px 10px 30px; background: var(--warn); border-radius: 10px; font-size: 14px; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); padding-top: 12px; }
@media print { body { background: #fff; } figure, .table { break-inside: avoid; } }
)";

/// A model keeps its colour through the whole report; grey is the baseline's.
using Colours = std::map<std::string, std::size_t>;

Colours colours_of(std::span<const Evaluation> evaluations) {
    Colours colours;
    for (const auto& evaluation : evaluations) {
        if (!evaluation.baseline.empty()) {
            colours.emplace(evaluation.baseline, 0);
        }
    }
    std::size_t next = 1;
    for (const auto& evaluation : evaluations) {
        for (const auto& row : evaluation.rows) {
            if (colours.emplace(row.name, next).second) {
                ++next;
            }
        }
    }
    return colours;
}

std::string percent(double share) {
    return fmt::format("{:.1f} %", 100 * share);
}

std::string fact(const std::string& value, std::string_view what) {
    return fmt::format(
        "<div><b>{}</b><span>{}</span></div>\n", escape_html(value), escape_html(what)
    );
}

std::string grouped(std::size_t number) {
    const auto digits = std::to_string(number);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) {
            text += ',';
        }
        text += digits[i];
    }
    return text;
}

std::string facts_html(const DatasetFacts& facts) {
    std::string html = "<div class=\"facts\">\n";
    html += fact(grouped(facts.n_events), "events");
    html += fact(grouped(facts.n_users), "users with events");
    html += fact(grouped(facts.n_items), "items with events");
    html += fact(fmt::format("{:.2f} %", 100 * facts.density), "of user-item pairs known");
    html += fact(std::to_string(facts.median_events), "events of the median user");
    html += fact(percent(facts.repeat_share), "repeats");
    html += fact(percent(facts.head_event_share), "of events on the top fifth of items");
    if (facts.new_user_share) {
        html += fact(percent(*facts.new_user_share), "of late events by new users");
    }
    if (facts.new_item_share) {
        html += fact(percent(*facts.new_item_share), "of late events on new items");
    }
    html += fact(percent(facts.text_coverage), "of items have text");
    return html + "</div>\n";
}

std::string cell(double value, double best, int digits = 4) {
    const bool is_best = value > 0 && value >= best;
    return fmt::format("<td{}>{:.{}f}</td>", is_best ? " class=\"best\"" : "", value, digits);
}

double best_of(const Evaluation& e, double ModelRow::* member) {
    double best = 0;
    for (const auto& row : e.rows) {
        best = std::max(best, row.*member);
    }
    return best;
}

std::string difference_cell(const Evaluation& e, const ModelRow& row) {
    if (row.name == e.baseline) {
        return "<td>baseline</td>";
    }
    if (!row.difference) {
        return "<td></td>";
    }
    const auto& d = *row.difference;
    const auto* kind = d.bootstrap.low > 0 ? "up" : d.bootstrap.high < 0 ? "down" : "same";
    return fmt::format(
        "<td class=\"{}\">{:+.4f} [{:+.4f}, {:+.4f}]</td>",
        kind,
        d.mean,
        d.bootstrap.low,
        d.bootstrap.high
    );
}

std::string row_html(const Evaluation& e, const ModelRow& row, const Colours& colours) {
    const auto name = fmt::format(
        "<td><span class=\"swatch\" style=\"background:{}\"></span>{}</td>",
        series_colour(colours.at(row.name)),
        escape_html(row.name)
    );
    if (!row.refused.empty()) {
        return fmt::format(
            "<tr>{}<td class=\"text\" colspan=\"11\">not run: {}</td></tr>\n",
            name,
            escape_html(row.refused)
        );
    }
    return fmt::format(
        "<tr>{}{}{}{}{}<td>{}</td><td>{:.3f}</td><td>{:.2f}</td><td>{}</td><td>{:.2f}</"
        "td><td>{:.2f}</td>{}"
        "</tr>\n",
        name,
        cell(row.ndcg, best_of(e, &ModelRow::ndcg)),
        cell(row.hit, best_of(e, &ModelRow::hit)),
        cell(row.recall, best_of(e, &ModelRow::recall)),
        cell(row.reciprocal_rank, best_of(e, &ModelRow::reciprocal_rank)),
        percent(row.coverage),
        row.gini,
        row.novelty_bits,
        percent(row.head_share),
        row.fit_seconds,
        row.score_seconds,
        difference_cell(e, row)
    );
}

std::string table_html(const Evaluation& e, const Colours& colours) {
    std::string html = fmt::format(
        "<div class=\"table\"><table>\n<thead><tr><th>model</th><th>NDCG@{0}</th><th>HR@{0}</th>"
        "<th>recall@{0}</th><th>MRR@{0}</th><th>coverage</th><th>Gini</th><th>novelty</th>"
        "<th>top fifth</th><th>fit s</th><th>score s</th><th>NDCG minus {1} [95 "
        "%]</th></tr></thead>\n<tbody>\n",
        e.k,
        e.baseline.empty() ? "baseline" : escape_html(e.baseline)
    );
    for (const auto& row : e.rows) {
        html += row_html(e, row, colours);
    }
    return html + "</tbody></table></div>\n";
}

std::string figure(std::string_view title, std::string_view caption, std::string_view chart) {
    return fmt::format(
        "<figure><h3>{}</h3><figcaption>{}</figcaption>\n{}</figure>\n",
        escape_html(title),
        escape_html(caption),
        chart
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

constexpr std::size_t min_segment = 20;  // fewer users than this are noise, not a segment

std::string segments_figure(const Evaluation& e, const Colours& colours) {
    if (!e.contexts.empty()) { return {}; }  // the few-shot curve says it better
    std::vector<std::string> categories;
    auto series = series_of(e, colours, &ModelRow::segments);
    for (auto& line : series) { line.values.clear(); }
    for (std::size_t i = 0; i < e.segments.size(); ++i) {
        const auto& segment = e.segments[i];
        if (segment.n_queries < min_segment) { continue; }
        categories.push_back(fmt::format("{}\nn={}", segment.name, segment.n_queries));
        std::size_t line = 0;
        for (const auto& row : e.rows) {
            if (!row.segments.empty()) { series[line++].values.push_back(row.segments[i]); }
        }
    }
    if (categories.size() < 2) { return {}; }
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
            categories, series
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

std::string curve_table(const Evaluation& e, const Colours& colours) {
    if (e.contexts.empty()) {
        return {};
    }
    std::string html =
        fmt::format("<div class=\"table\"><table>\n<thead><tr><th>NDCG@{}</th>", e.k);
    for (const auto k : e.contexts) {
        html += fmt::format("<th>k = {}</th>", k);
    }
    html += "</tr></thead>\n<tbody>\n";
    std::vector<double> best(e.contexts.size());
    for (const auto& row : e.rows) {
        for (std::size_t i = 0; i < row.curve.size(); ++i) {
            best[i] = std::max(best[i], row.curve[i]);
        }
    }
    for (const auto& row : e.rows) {
        if (!row.refused.empty()) {
            continue;
        }
        html += fmt::format(
            "<tr><td><span class=\"swatch\" style=\"background:{}\"></span>{}</td>",
            series_colour(colours.at(row.name)),
            escape_html(row.name)
        );
        for (std::size_t i = 0; i < row.curve.size(); ++i) {
            html += cell(row.curve[i], best[i]);
        }
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
}

std::string notes_html(const Evaluation& e) {
    std::string items;
    for (const auto& note : e.notes) {
        items += fmt::format("<li>{}</li>\n", escape_html(note));
    }
    for (const auto& row : e.rows) {
        for (const auto& warning : row.warnings) {
            items += fmt::format(
                "<li><b>{}</b>: {}</li>\n", escape_html(row.name), escape_html(warning)
            );
        }
    }
    return items.empty() ? items : "<ul class=\"notes\">\n" + items + "</ul>\n";
}

const ModelRow* best_row(const Evaluation& e) {
    const ModelRow* best = nullptr;
    for (const auto& row : e.rows) {
        if (row.refused.empty() && (best == nullptr || row.ndcg > best->ndcg)) { best = &row; }
    }
    return best;
}

/// What the table says, for a reader who does not read tables.
std::string words_figure(const Evaluation& e) {
    const auto* best = best_row(e);
    if (best == nullptr) { return {}; }
    std::string words = fmt::format(
        "<li><b>{}</b> ranks best: NDCG@{} {:.4f}; {} of the users find a held-out item among the first {}.</li>\n",
        escape_html(best->name), e.k, best->ndcg, percent(best->hit), e.k
    );
    if (best->difference) {
        const auto& d = *best->difference;
        words += fmt::format(
            "<li>Against {}: {:+.4f}, between {:+.4f} and {:+.4f}: {}.</li>\n", escape_html(e.baseline), d.mean,
            d.bootstrap.low, d.bootstrap.high,
            d.bootstrap.low > 0 ? "better, with 95 % confidence" : "not shown to be better"
        );
    }
    std::size_t n_better = 0;
    std::size_t n_compared = 0;
    for (const auto& row : e.rows) {
        if (!row.difference) { continue; }
        ++n_compared;
        n_better += row.difference->mean > 0 && row.p_holm <= 0.05 ? 1 : 0;
    }
    if (n_compared > 0) {
        words += fmt::format(
            "<li>{} of {} models beat {} after correction for the number of rows (Holm, 5 %).</li>\n", n_better,
            n_compared, escape_html(e.baseline)
        );
    }
    words += fmt::format(
        "<li>{} shows {} of the catalogue; {} of what it shows is in the most popular fifth.</li>\n",
        escape_html(best->name), percent(best->coverage), percent(best->head_share)
    );
    return "<figure class=\"words\"><h3>In words</h3><ul>\n" + words + "</ul></figure>\n";
}

std::string evaluation_html(const Evaluation& e, const Colours& colours) {
    std::string html = fmt::format(
        "<h2>{}</h2>\n<p class=\"lead\">{} users, {} queries, {}; seed {}</p>\n",
        escape_html(e.protocol),
        grouped(e.n_users),
        grouped(e.n_queries),
        escape_html(e.ranking),
        e.seed
    );
    html += notes_html(e) + table_html(e, colours) + curve_table(e, colours);
    html += "<div class=\"figures\">\n" + words_figure(e) + curve_figure(e, colours) +
            differences_figure(e, colours) + segments_figure(e, colours) +
            popularity_figure(e, colours) + "</div>\n";
    return html;
}

}  // namespace

std::string report_html(const DatasetFacts& facts, std::span<const Evaluation> evaluations) {
    const auto colours = colours_of(evaluations);
    std::string html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>honeyguide evaluation: {0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
        "<h1>{0}</h1>\n<p class=\"lead\">How well each model recommends on events it never "
        "saw.</p>\n",
        escape_html(facts.name),
        style
    );
    html += facts_html(facts);
    for (const auto& evaluation : evaluations) {
        html += evaluation_html(evaluation, colours);
    }
    html += fmt::format(
        "<footer><p>Targets are liked events held out of training. Every target is ranked against "
        "the whole "
        "catalogue; ties count half a place; a user without an answer counts 0. NDCG has linear "
        "gain; recall and "
        "MAP divide by all relevant items. Gini is over the whole catalogue (0: every item equally "
        "often). Novelty "
        "is -log2 of an item's share of training events. Top fifth: share of shown items from the "
        "most popular 20 "
        "%. Intervals resample users (2,000 times).</p>\n<p>honeyguide {}, dataset "
        "{}</p></footer>\n"
        "</main>\n</body>\n</html>\n",
        version,
        escape_html(facts.hash.substr(0, 16))
    );
    return html;
}

}  // namespace hg::app
