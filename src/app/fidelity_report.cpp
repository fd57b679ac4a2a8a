// SPDX-License-Identifier: Apache-2.0
#include "app/fidelity_report.hpp"

#include "app/chart.hpp"
#include "app/report_style.hpp"
#include "app/version.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace hg::app {
namespace {

constexpr std::size_t colour_of_log = 0;
constexpr std::size_t colour_of_world = 1;

std::string table(const std::vector<std::string>& head, const std::string& rows) {
    std::string html = "<div class=\"table\"><table>\n<thead><tr>";
    for (const auto& name : head) {
        html += fmt::format("<th>{}</th>", escape_html(name));
    }
    return html + "</tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
}

std::string row(const std::vector<std::string>& cells, std::string_view kind = "td") {
    std::string html = "<tr>";
    for (const auto& cell : cells) {
        html += fmt::format("<{0}>{1}</{0}>", kind, escape_html(cell));
    }
    return html + "</tr>\n";
}

std::string two_lines(
    const ChartText& text,
    const std::vector<std::string>& categories,
    const std::vector<double>& log,
    const std::vector<double>& world
) {
    const std::array series{
        Series{.name = "log", .colour = colour_of_log, .values = log, .is_baseline = true},
        Series{.name = "world", .colour = colour_of_world, .values = world},
    };
    return line_chart(text, categories, series);
}

std::string answers_html(const simulate::Fidelity& f) {
    std::string rows;
    for (const auto& r : f.chances) {
        rows += row(
            {fmt::format("{}: {}", r.response, r.predictor),
             number(r.log_loss),
             number(r.auc),
             number(r.calibration_error),
             std::to_string(r.n)}
        );
    }
    std::string html =
        "<h2>Answers of held-out users</h2>\n<p class=\"lead\">Each given what really "
        "happened before it.</p>\n";
    html += table({"answer: predictor", "log loss", "AUC", "calibration error", "n"}, rows);
    rows.clear();
    for (const auto& r : f.numbers) {
        rows += row(
            {fmt::format("{}: {}", r.response, r.predictor),
             number(r.rmse),
             number(r.mean_error),
             std::to_string(r.n)}
        );
    }
    return html + (rows.empty()
                       ? std::string{"<p class=\"small\">Values of answers: not available.</p>\n"}
                       : table({"number: predictor", "RMSE", "mean error", "n"}, rows));
}

std::string sessions_html(const simulate::Fidelity& f) {
    std::string rows;
    for (const auto& r : f.sessions) {
        const auto note = r.missing.empty() ? r.name : fmt::format("{} ({})", r.name, r.missing);
        rows += row({note, number(r.log, 3), number(r.world, 3), number(r.distance, 3)});
    }
    return fmt::format(
               "<h2>Sessions</h2>\n<p class=\"lead\">Held-out sessions beside sessions played in "
               "the world. A session ends at: {}.</p>\n",
               escape_html(f.session_rule.empty() ? "not available" : f.session_rule)
           ) +
           table({"mean of", "log", "world", "KS distance"}, rows);
}

std::string policies_html(const simulate::Fidelity& f) {
    std::string html = "<h2>Fixed policies</h2>\n";
    if (f.policies.empty()) {
        return html +
               "<p class=\"lead\">Rank agreement: not available, the log has no "
               "propensities.</p>\n";
    }
    std::string rows;
    for (const auto& r : f.policies) {
        rows += row({r.name, fmt::format("{:.4f} ± {:.4f}", r.log, r.log_error), number(r.world)});
    }
    html += fmt::format(
        "<p class=\"lead\">In the log: {}. In the world: reward per step. Kendall's tau {} over "
        "the {} pairs that the log tells apart.</p>\n",
        escape_html(f.policy_measure),
        number(f.rank_agreement, 2),
        f.n_told_apart
    );
    return html + table({"policy", "log", "world"}, rows);
}

std::vector<std::string> tenths(std::size_t n) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < n; ++i) {
        names.push_back(std::to_string(i + 1));
    }
    return names;
}

std::string calibration_figure(const simulate::Fidelity& f) {
    std::vector<std::string> categories;
    std::vector<double> predicted;
    std::vector<double> seen;
    for (std::size_t i = 0; i < f.click_bins.size(); ++i) {
        categories.push_back(std::to_string(i + 1));
        predicted.push_back(f.click_bins[i].mean_chance);
        seen.push_back(f.click_bins[i].share);
    }
    return categories.empty() ? std::string{}
                              : figure(
                                    "Calibration of clicks",
                                    "Slots in ten groups by predicted chance: predicted by the "
                                    "world, seen in the log.",
                                    two_lines(
                                        {.title = "Calibration of clicks",
                                         .x_label = "group, least likely first",
                                         .y_label = "click rate"},
                                        categories,
                                        seen,
                                        predicted
                                    )
                                );
}

std::string figures_html(const simulate::Fidelity& f) {
    std::string html = "<div class=\"figures\">\n" + calibration_figure(f);
    if (!f.log_popularity.empty()) {
        html += figure(
            "Popularity",
            "Share of clicks by tenth of the items, most clicked first.",
            two_lines(
                {.title = "Popularity", .x_label = "tenth of items", .y_label = "share of clicks"},
                tenths(f.log_popularity.size()),
                f.log_popularity,
                f.world_popularity
            )
        );
    }
    if (!f.log_lengths.empty()) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < f.log_lengths.size(); ++i) {
            names.push_back(fmt::format("{} %", 10 * i));
        }
        html += figure(
            "Session lengths",
            "Deciles of the decisions of a session.",
            two_lines(
                {.title = "Session lengths", .x_label = "share of sessions", .y_label = "decisions"
                },
                names,
                f.log_lengths,
                f.world_lengths
            )
        );
    }
    if (!f.policies.empty()) {
        std::vector<std::string> names;
        std::vector<double> log;
        std::vector<double> world;
        for (const auto& p : f.policies) {
            names.push_back(
                p.name.substr(0, p.name.find(' ')) + "\n" +
                (p.name.find(' ') == std::string::npos ? "" : p.name.substr(p.name.find(' ') + 1))
            );
            log.push_back(p.log);
            world.push_back(p.world);
        }
        html += figure(
            "Fixed policies",
            "The order matters, not the height.",
            two_lines(
                {.title = "Fixed policies", .x_label = "policy", .y_label = "value"},
                names,
                log,
                world
            )
        );
    }
    return html + "</div>\n";
}

}  // namespace

std::string fidelity_html(const simulate::Fidelity& f, const std::string& world) {
    std::string notes;
    for (const auto& assumption : f.assumptions) {
        notes += fmt::format("<li>{}</li>\n", escape_html(assumption));
    }
    return fmt::format(
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
               "name=\"viewport\" content=\"width=device-width, "
               "initial-scale=1\">\n<title>honeyguide "
               "world: {0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n<p "
               "class=\"lead\">How far the world learned from {2} ({3}) may be trusted: {4} "
               "held-out "
               "sequences, {5} decisions.</p>\n<ul "
               "class=\"notes\">\n<li><b>{6}</b></li>\n{7}</ul>\n",
               escape_html(world),
               report_style,
               escape_html(f.data_name),
               escape_html(f.source),
               f.n_sequences,
               f.n_decisions,
               escape_html(f.not_to_be_trusted_for),
               notes
           ) +
           answers_html(f) + sessions_html(f) + policies_html(f) + figures_html(f) +
           fmt::format(
               "<footer><p>Calibration error: mean distance of predicted chance and share over ten "
               "groups. KS: largest distance of the two distributions.</p><p>honeyguide "
               "{}</p></footer>\n</main>\n</body>\n</html>\n",
               version
           );
}

}  // namespace hg::app
