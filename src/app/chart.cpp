// SPDX-License-Identifier: Apache-2.0
#include "app/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace hg::app {
namespace {

constexpr double width = 680;
constexpr double label_gap = 15;  // px between two labels

/// A linear scale from values to pixels.
struct Scale {
    double low = 0;
    double high = 1;
    double from = 0;  // pixel of low
    double to = 1;    // pixel of high

    [[nodiscard]] double operator()(double value) const {
        return from + (value - low) / (high - low) * (to - from);
    }
};

/// Round numbers that cover [low, high] in about `wanted` steps.
std::vector<double> ticks(double low, double high, double wanted) {
    const double raw = (high - low) / wanted;
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    const double step = raw / power <= 1   ? power
                        : raw / power <= 2 ? 2 * power
                        : raw / power <= 5 ? 5 * power
                                           : 10 * power;
    std::vector<double> values;
    const auto first = static_cast<long>(std::floor(low / step + 1e-9));
    const auto last = static_cast<long>(std::ceil(high / step - 1e-9));
    for (long i = first; i <= last; ++i) {
        values.push_back(static_cast<double>(i) * step);
    }
    return values;
}

/// Moves labels apart, keeping their order and staying above `bottom`.
std::vector<double> spread(std::vector<double> wanted, double bottom) {
    std::vector<std::size_t> order(wanted.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return wanted[i]; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        wanted[order[i]] = std::max(wanted[order[i]], wanted[order[i - 1]] + label_gap);
    }
    double limit = bottom;
    for (std::size_t i = order.size(); i > 0; --i) {
        wanted[order[i - 1]] = std::min(wanted[order[i - 1]], limit);
        limit = wanted[order[i - 1]] - label_gap;
    }
    return wanted;
}

std::string open_svg(const ChartText& text, double height) {
    return fmt::format(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
        width,
        height,
        escape_html(text.title)
    );
}

std::string label(
    double x, double y, std::string_view anchor, std::string_view words, std::string_view more = ""
) {
    return fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n",
        x,
        y,
        anchor,
        more,
        escape_html(words)
    );
}

std::string segment(double x1, double y1, double x2, double y2, std::string_view style) {
    return fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n",
        x1,
        y1,
        x2,
        y2,
        style
    );
}

/// Horizontal grid with numbers, and the y label on top.
std::string y_axis(
    const Scale& y, std::span<const double> values, double left, double right, std::string_view name
) {
    std::string svg;
    for (const double value : values) {
        svg += segment(left, y(value), right, y(value), "class=\"grid\"");
        svg +=
            label(left - 8, y(value) + 4, "end", fmt::format("{:.6g}", value), " class=\"tick\"");
    }
    return svg + label(left - 40, y.to - 14, "start", name, " class=\"axis\"");
}

std::string polyline(const Series& line, std::span<const double> x, const Scale& y) {
    std::string points;
    std::string dots;
    for (std::size_t i = 0; i < line.values.size(); ++i) {
        if (std::isnan(line.values[i])) {
            continue;
        }
        points += fmt::format("{:.1f},{:.1f} ", x[i], y(line.values[i]));
        dots += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\"><title>{}: "
            "{:.4f}</title></circle>\n",
            x[i],
            y(line.values[i]),
            series_colour(line.colour),
            escape_html(line.name),
            line.values[i]
        );
    }
    return fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n{}",
        points,
        series_colour(line.colour),
        line.is_baseline ? " stroke-dasharray=\"6 4\"" : "",
        dots
    );
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string figure(std::string_view title, std::string_view caption, std::string_view chart) {
    return fmt::format(
        "<figure><h3>{}</h3><figcaption>{}</figcaption>\n{}</figure>\n",
        escape_html(title),
        escape_html(caption),
        chart
    );
}

std::string_view series_colour(std::size_t index) noexcept {
    static constexpr std::array<std::string_view, 12> colours{
        "#8a8f98",
        "#0072b2",
        "#d55e00",
        "#009e73",
        "#cc79a7",
        "#b8860b",
        "#56b4e9",
        "#7f3c8d",
        "#a0522d",
        "#2f4b7c",
        "#6b8e23",
        "#c2185b",
    };
    return colours[index % colours.size()];
}

std::string line_chart(
    const ChartText& text, std::span<const std::string> categories, std::span<const Series> series
) {
    constexpr double left = 56;
    constexpr double right = width - 150;
    constexpr double top = 34;
    constexpr double bottom = 300;
    double high = 0;
    for (const auto& line : series) {
        for (const double value : line.values) {
            high = std::isnan(value) ? high : std::max(high, value);
        }
    }
    const auto y_ticks = ticks(0, high > 0 ? high : 1, 5);
    const Scale y{.low = 0, .high = y_ticks.back(), .from = bottom, .to = top};
    std::vector<double> x;
    for (std::size_t i = 0; i < categories.size(); ++i) {
        const double step = categories.size() > 1
                                ? (right - left - 40) / static_cast<double>(categories.size() - 1)
                                : 0;
        x.push_back(left + 20 + step * static_cast<double>(i));
    }
    std::string svg = open_svg(text, bottom + 62) + y_axis(y, y_ticks, left, right, text.y_label);
    for (std::size_t i = 0; i < categories.size(); ++i) {
        const auto cut = categories[i].find('\n');
        svg += label(x[i], bottom + 18, "middle", categories[i].substr(0, cut), " class=\"tick\"");
        if (cut != std::string::npos) {
            svg += label(
                x[i], bottom + 33, "middle", categories[i].substr(cut + 1), " class=\"tick\""
            );
        }
    }
    svg += label((left + right) / 2, bottom + 54, "middle", text.x_label, " class=\"axis\"");
    std::vector<double> ends;
    for (const auto& line : series) {
        svg += polyline(line, x, y);
        double end = 0;
        for (const double value : line.values) {
            end = std::isnan(value) ? end : value;
        }
        ends.push_back(y(end));
    }
    const auto places = spread(ends, bottom);
    for (std::size_t i = 0; i < series.size(); ++i) {
        const auto colour = series_colour(series[i].colour);
        svg += segment(
            (x.empty() ? left : x.back()) + 6,
            ends[i],
            right + 12,
            places[i],
            fmt::format("stroke=\"{}\" stroke-width=\"1\" opacity=\"0.5\"", colour)
        );
        svg += label(
            right + 16,
            places[i] + 4,
            "start",
            series[i].name,
            fmt::format(" style=\"fill:{}\"", colour)
        );
    }
    return svg + "</svg>\n";
}

std::string scatter_chart(const ChartText& text, std::span<const Point> points) {
    constexpr double left = 56;
    constexpr double right = width - 130;
    constexpr double top = 34;
    constexpr double bottom = 320;
    double high = 0;
    for (const auto& point : points) {
        high = std::max(high, point.y);
    }
    const auto y_ticks = ticks(0, high > 0 ? high : 1, 5);
    const Scale y{.low = 0, .high = y_ticks.back(), .from = bottom, .to = top};
    double least = 100;
    double most = 0;
    for (const auto& point : points) {
        least = std::min(least, 100 * point.x);
        most = std::max(most, 100 * point.x);
    }
    if (most - least < 10) {  // never zoom into noise
        least = std::max(0.0, most - 10);
        most = least + 10;
    }
    const auto x_ticks = ticks(least, most, 5);
    const Scale x{
        .low = x_ticks.front() / 100, .high = x_ticks.back() / 100, .from = left + 10, .to = right
    };
    std::string svg = open_svg(text, bottom + 52) + y_axis(y, y_ticks, left, right, text.y_label);
    for (const double percent : x_ticks) {
        const double at = x(percent / 100);
        svg += segment(at, top, at, bottom + 4, "class=\"grid\"");
        svg +=
            label(at, bottom + 18, "middle", fmt::format("{:.6g} %", percent), " class=\"tick\"");
    }
    svg += label((left + right) / 2, bottom + 42, "middle", text.x_label, " class=\"axis\"");
    std::vector<double> wanted;
    for (const auto& point : points) {
        wanted.push_back(y(point.y));
    }
    // Only labels that would touch are moved: those of points close in x.
    std::vector<double> places = wanted;
    std::vector<std::size_t> order(points.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return wanted[i]; });
    for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const bool is_near = std::abs(x(points[order[i]].x) - x(points[order[j]].x)) < 120;
            const bool touches = places[order[i]] - places[order[j]] < label_gap;
            if (is_near && touches) {
                places[order[i]] = places[order[j]] + label_gap;
            }
        }
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto colour = series_colour(points[i].colour);
        svg += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\" fill=\"{}\"><title>{}: {:.4f} at {:.1f} "
            "%</title></circle>\n",
            x(points[i].x),
            y(points[i].y),
            colour,
            escape_html(points[i].name),
            points[i].y,
            100 * points[i].x
        );
        svg += label(
            x(points[i].x) + 11,
            places[i] + 4,
            "start",
            points[i].name,
            fmt::format(" style=\"fill:{}\"", colour)
        );
    }
    return svg + "</svg>\n";
}

std::string interval_chart(const ChartText& text, std::span<const IntervalBar> bars) {
    constexpr double left = 150;
    constexpr double right = width - 90;
    constexpr double top = 26;
    constexpr double row = 26;
    const double bottom = top + row * static_cast<double>(bars.size());
    double low = 0;
    double high = 0;
    for (const auto& bar : bars) {
        low = std::min(low, bar.low);
        high = std::max(high, bar.high);
    }
    if (high <= low) {
        high = low + 1;
    }
    const auto x_ticks = ticks(low, high, 5);
    const Scale x{.low = x_ticks.front(), .high = x_ticks.back(), .from = left, .to = right};
    std::string svg = open_svg(text, bottom + 48);
    for (const double value : x_ticks) {
        svg += segment(x(value), top - 8, x(value), bottom, "class=\"grid\"");
        svg += label(
            x(value),
            bottom + 18,
            "middle",
            fmt::format("{:+.6g}", value == 0 ? 0.0 : value),
            " class=\"tick\""
        );
    }
    svg += segment(x(0), top - 8, x(0), bottom, "class=\"zero\"");
    svg += label((left + right) / 2, bottom + 40, "middle", text.x_label, " class=\"axis\"");
    for (std::size_t i = 0; i < bars.size(); ++i) {
        const double y = top + row * (static_cast<double>(i) + 0.5);
        const auto colour = series_colour(bars[i].colour);
        svg += label(left - 12, y + 4, "end", bars[i].name);
        svg += segment(
            x(bars[i].low),
            y,
            x(bars[i].high),
            y,
            fmt::format("stroke=\"{}\" stroke-width=\"3\" stroke-linecap=\"round\"", colour)
        );
        svg += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>\n",
            x(bars[i].mean),
            y,
            colour
        );
        svg += label(
            right + 10, y + 4, "start", fmt::format("{:+.4f}", bars[i].mean), " class=\"tick\""
        );
    }
    return svg + "</svg>\n";
}

}  // namespace hg::app
