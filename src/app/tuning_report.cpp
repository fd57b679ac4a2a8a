// SPDX-License-Identifier: Apache-2.0
#include "app/tuning_report.hpp"

#include "app/chart.hpp"
#include "app/report_style.hpp"
#include "app/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace hg::app {
namespace {

std::vector<const Tried*> best_first(const Tuning& tuning) {
    std::vector<const Tried*> order;
    for (const auto& tried : tuning.tried) {
        order.push_back(&tried);
    }
    std::ranges::stable_sort(order, [](const Tried* a, const Tried* b) {
        if (a->rung != b->rung) {
            return a->rung > b->rung;
        }
        return std::isnan(b->ndcg) ? !std::isnan(a->ndcg) : a->ndcg > b->ndcg;
    });
    return order;
}

std::string settings_text(const TuningRequest& request, const Tried& tried) {
    auto text = point_text(request.space, tried.point);
    if (tried.epochs > 0) {
        text += fmt::format(" epochs={}", tried.epochs);
    }
    return text;
}

std::string value_text(const Tried& tried) {
    return tried.refused.empty() ? fmt::format("{:.4f} +- {:.4f}", tried.ndcg, tried.error)
                                 : "not fitted";
}

/// A word, or a third of a range.
struct Place {
    std::string name;
    std::size_t n = 0;
    double sum = 0;
    double best = -1;
};

/// Of the trials of the first rung, which saw all points alike.
std::vector<Place> places_of(const TuningRequest& request, const Tuning& tuning, std::size_t d) {
    constexpr std::size_t thirds = 3;
    const auto& dimension = request.space[d];
    std::vector<Place> places(dimension.is_range() ? thirds : dimension.words.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        places[i].name = dimension.is_range()
                             ? fmt::format(
                                   "{} to {}",
                                   dimension.text(static_cast<double>(i) / thirds),
                                   dimension.text(static_cast<double>(i + 1) / thirds)
                               )
                             : dimension.words[i];
    }
    for (const auto& tried : tuning.tried) {
        if (tried.rung > 0 || std::isnan(tried.ndcg)) {
            continue;
        }
        const auto at = dimension.is_range() ? tried.point[d] * thirds : tried.point[d];
        auto& place = places[std::min(static_cast<std::size_t>(at), places.size() - 1)];
        ++place.n;
        place.sum += tried.ndcg;
        place.best = std::max(place.best, tried.ndcg);
    }
    return places;
}

std::string course_html(const Tuning& tuning) {
    std::vector<std::string> numbers;
    Series each{.name = "trial", .colour = 0, .values = {}};
    Series best{.name = "best so far", .colour = 1, .values = {}};
    double top = std::numeric_limits<double>::quiet_NaN();
    const auto every = 1 + tuning.tried.size() / 20;  // more numbers would run into each other
    for (const auto& tried : tuning.tried) {
        numbers.push_back(tried.number % every == 0 ? std::to_string(tried.number + 1) : "");
        each.values.push_back(tried.ndcg);
        top =
            std::isnan(top) ? tried.ndcg : std::max(top, std::isnan(tried.ndcg) ? top : tried.ndcg);
        best.values.push_back(top);
    }
    return "<figure><figcaption>NDCG@10 on validation, trial by trial</figcaption>" +
           line_chart(
               {.title = "NDCG@10 trial by trial", .x_label = "trial", .y_label = "NDCG@10"},
               numbers,
               std::array{each, best}
           ) +
           "</figure>\n";
}

std::string options_html(const TuningRequest& request, const Tuning& tuning) {
    std::string html =
        "<h2>What each option did</h2>\n<p class=\"small\">Over the trials that had it there, "
        "whatever the other options were.</p>\n<div class=\"table\"><table>\n<tr><th>option</th>"
        "<th>value</th><th>trials</th><th>mean NDCG@10</th><th>best</th></tr>\n";
    for (std::size_t d = 0; d < request.space.size(); ++d) {
        for (const auto& place : places_of(request, tuning, d)) {
            const auto has = place.n > 0;
            html += fmt::format(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escape_html(request.space[d].name),
                escape_html(place.name),
                place.n,
                has ? fmt::format("{:.4f}", place.sum / static_cast<double>(place.n)) : "",
                has ? fmt::format("{:.4f}", place.best) : ""
            );
        }
    }
    return html + "</table></div>\n";
}

std::string trials_html(const TuningRequest& request, const Tuning& tuning) {
    std::string html =
        "<h2>All trials</h2>\n<div class=\"table\"><table>\n<tr><th>trial</th><th>NDCG@10</th>"
        "<th>seconds</th><th>settings</th></tr>\n";
    for (const auto* tried : best_first(tuning)) {
        html += fmt::format(
            "<tr><td>{}</td><td>{}</td><td>{:.1f}</td><td class=\"text\">{}{}</td></tr>\n",
            tried->number + 1,
            value_text(*tried),
            tried->seconds,
            escape_html(settings_text(request, *tried)),
            tried->refused.empty() ? "" : "<br>" + escape_html(tried->refused)
        );
    }
    return html + "</table></div>\n";
}

}  // namespace

std::string trial_text(const TuningRequest& request, const Tuning& so_far) {
    const auto& last = so_far.tried.back();
    const auto done = so_far.tried.size();
    double seconds = 0;
    for (const auto& tried : so_far.tried) {
        seconds += tried.seconds;
    }
    const auto left =
        seconds / static_cast<double>(done) * static_cast<double>(so_far.n_planned - done);
    const auto* best = best_of(so_far);
    auto text = fmt::format(
        "{:>4}/{}  {:<17}  best {}  {:5.1f} s",
        done,
        so_far.n_planned,
        value_text(last),
        best == nullptr ? "-" : fmt::format("{:.4f} ({})", best->ndcg, best->number + 1),
        last.seconds
    );
    if (done < so_far.n_planned) {
        text += fmt::format(", about {:.0f} s to go", left);
    }
    text += "  " + settings_text(request, last);
    if (!last.refused.empty()) {
        text += "\n      " + last.refused;
    }
    return text + "\n";
}

std::string tuning_text(const TuningRequest& request, const Tuning& tuning) {
    constexpr std::size_t shown = 10;
    const auto* best = best_of(tuning);
    if (best == nullptr) {
        return "no trial could be fitted\n";
    }
    std::string text = fmt::format("\n{:<17}  trial  settings\n", "NDCG@10");
    std::size_t count = 0;
    for (const auto* tried : best_first(tuning)) {
        if (tried->rung == best->rung && count++ < shown) {
            text += fmt::format(
                "{:<17}  {:>5}  {}\n",
                value_text(*tried),
                tried->number + 1,
                settings_text(request, *tried)
            );
        }
    }
    const auto n = n_as_good(tuning);
    if (n > 1) {
        text += fmt::format(
            "{} trials lie within one standard error of the best: what they differ in may not "
            "matter.\n",
            n
        );
    }
    return text;
}

std::string tuning_html(
    const TuningRequest& request, const Tuning& tuning, const std::string& lead
) {
    const auto* best = best_of(tuning);
    auto html = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>honeyguide tune: {0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
        "<h1>Settings of {0}</h1>\n<p class=\"lead\">{2}</p>\n",
        escape_html(request.entry.name),
        report_style,
        escape_html(lead)
    );
    if (best != nullptr) {
        html += fmt::format(
            "<p>Best: trial {}, NDCG@10 {}: <b>{}</b>. {} trials lie within one standard error of "
            "it. The best of many is flattered by its luck: judge it on the test part, once.</p>\n",
            best->number + 1,
            value_text(*best),
            escape_html(settings_text(request, *best)),
            n_as_good(tuning)
        );
    }
    html += course_html(tuning);
    html += options_html(request, tuning);
    html += trials_html(request, tuning);
    return html + fmt::format(
                      "<footer><p>honeyguide {}</p></footer>\n</main>\n</body>\n</html>\n", version
                  );
}

std::string best_toml(const TuningRequest& request, const Tuning& tuning) {
    const auto* best = best_of(tuning);
    std::string text = fmt::format("# honeyguide tune --model {}", request.entry.name);
    if (best == nullptr) {
        return text + ": no trial could be fitted\n";
    }
    text += fmt::format(": NDCG@10 {} on validation\n", value_text(*best));
    const auto settings = settings_at(request.space, best->point, request.fixed);
    for (const auto& [key, value] : settings.values()) {
        const auto is_plain =
            value.text.find_first_not_of("0123456789+-.eE") == std::string::npos ||
            value.text == "true" || value.text == "false" || value.text.starts_with('[') ||
            value.text.starts_with('"');
        text += is_plain ? fmt::format("{} = {}\n", key, value.text)
                         : fmt::format("{} = \"{}\"\n", key, value.text);
    }
    return text;
}

}  // namespace hg::app
