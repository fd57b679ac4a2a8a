// SPDX-License-Identifier: Apache-2.0
// chart: three plots as inline SVG, enough for the report: lines over categories, points,
// intervals.
//
// No scripts, no fonts, no links: one HTML file shows them anywhere and prints well. Colours are by
// series index and fixed, so that a model keeps its colour through a report (Okabe and Ito's
// colour-blind safe set first). Text follows the page's colour.
//
//   const std::array<std::string, 2> k{"0", "1"};
//   html += line_chart({.title = "NDCG@10 after k clicks", .y_label = "NDCG@10"}, k, series);
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

[[nodiscard]] std::string escape_html(std::string_view text);

/// A chart with its heading and what it says.
[[nodiscard]] std::string figure(
    std::string_view title, std::string_view caption, std::string_view chart
);

/// "#0072b2", the same for the same index.
[[nodiscard]] std::string_view series_colour(std::size_t index) noexcept;

struct ChartText {
    std::string title{};  // read aloud by screen readers, shown by the page around it
    std::string x_label{};
    std::string y_label{};
};

struct Series {
    std::string name;
    std::size_t colour = 0;
    std::vector<double> values;  // one per category; NaN = a gap
    bool is_baseline = false;    // drawn dashed
};

/// A category may have two lines ("10-19\nn=40"). Names stand at the ends of their lines, pushed
/// apart where they would overlap.
[[nodiscard]] std::string line_chart(
    const ChartText& text, std::span<const std::string> categories, std::span<const Series> series
);

struct Point {
    std::string name;
    std::size_t colour = 0;
    double x = 0;
    double y = 0;
};

/// x is a share and is shown in per cent.
[[nodiscard]] std::string scatter_chart(const ChartText& text, std::span<const Point> points);

struct IntervalBar {
    std::string name;
    std::size_t colour = 0;
    double mean = 0;
    double low = 0;
    double high = 0;
};

/// One row per bar around a line at zero.
[[nodiscard]] std::string interval_chart(const ChartText& text, std::span<const IntervalBar> bars);

}  // namespace hg::app
