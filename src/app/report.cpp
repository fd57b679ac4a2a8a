// SPDX-License-Identifier: Apache-2.0
#include "app/report.hpp"

#include "app/chart.hpp"
#include "app/report_figures.hpp"
#include "app/report_style.hpp"
#include "app/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace hg::app {
namespace {

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
    html += fact(percent_text(facts.repeat_share), "repeats");
    html += fact(percent_text(facts.head_event_share), "of events on the top fifth of items");
    if (facts.new_user_share) {
        html += fact(percent_text(*facts.new_user_share), "of late events by new users");
    }
    if (facts.new_item_share) {
        html += fact(percent_text(*facts.new_item_share), "of late events on new items");
    }
    html += fact(percent_text(facts.text_coverage), "of items have text");
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
        percent_text(row.coverage),
        row.gini,
        row.novelty_bits,
        percent_text(row.head_share),
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

std::string curve_table(const Evaluation& e, const Colours& colours) {
    if (e.contexts.empty()) {
        return {};
    }
    std::string html =
        fmt::format("<div class=\"table\"><table>\n<thead><tr><th>NDCG@{}</th>", e.k);
    for (const auto k : e.contexts) {
        html += fmt::format("<th>k = {}</th>", k);
    }
    html += "<th title=\"mean over log2(k + 1)\">area</th></tr></thead>\n<tbody>\n";
    std::vector<double> best(e.contexts.size());
    double best_area = 0;
    for (const auto& row : e.rows) {
        best_area = std::max(best_area, row.curve_area);
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
        html += cell(row.curve_area, best_area) + "</tr>\n";
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
        report_style
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
