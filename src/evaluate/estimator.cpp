// SPDX-License-Identifier: Apache-2.0
#include "evaluate/estimator.hpp"

#include "core/mean.hpp"
#include "core/registry.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numeric>

namespace hg::evaluate {

#define HG_ESTIMATOR(name) extern const EstimatorEntry name;
#include "evaluate/estimators/builtin.def"
#undef HG_ESTIMATOR

namespace {

constexpr std::array table{
#define HG_ESTIMATOR(name) &name,
#include "evaluate/estimators/builtin.def"
#undef HG_ESTIMATOR
};

struct Column {
    std::string_view name;
    std::span<const double> values;
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool excludes_low = false;
};

Result<void> check_column(const Column& column, std::size_t n_rows) {
    if (column.values.size() != n_rows) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "{} has {} rows, the log has {}", column.name, column.values.size(), n_rows
            ),
            column.values.empty() ? "give it, or choose an estimator that does without" : ""
        );
    }
    for (std::size_t i = 0; i < n_rows; ++i) {
        const double value = column.values[i];
        const bool is_low = column.excludes_low ? value <= column.low : value < column.low;
        if (!std::isfinite(value) || is_low || value > column.high) {
            const auto range = std::isfinite(column.low) ? fmt::format(
                                                               "a number in {}{}, {}]",
                                                               column.excludes_low ? '(' : '[',
                                                               column.low,
                                                               column.high
                                                           )
                                                         : "a finite number";
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("row {}: {} is {}, expected {}", i, column.name, value, range)
            );
        }
    }
    return {};
}

}  // namespace

std::span<const EstimatorEntry* const> estimators() {
    return table;
}

const EstimatorEntry& find_estimator(std::string_view name) {
    return find_entry<EstimatorEntry>(estimators(), name, "estimator");
}

double Contributions::value() const {
    const double ratio = is_ratio() ? mean_of(numerator) / mean_of(denominator) : 0;
    return mean_of(base) + ratio;
}

std::vector<double> Contributions::rounds() const {
    auto rows = base;
    if (is_ratio()) {
        const double scale = mean_of(denominator);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i] += numerator[i] / scale;
        }
    }
    return rows;
}

std::vector<double> Contributions::influence() const {
    auto rows = base;
    if (is_ratio()) {
        const double scale = mean_of(denominator);
        const double ratio = mean_of(numerator) / scale;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i] += ratio + (numerator[i] - ratio * denominator[i]) / scale;
        }
    }
    return rows;
}

Result<void> check_rows(const LoggedRows& log, Need needs) {
    if (log.size() == 0) {
        return fail(ErrorCode::invalid_argument, "the log has no rows");
    }
    std::vector<Column> columns{{.name = "reward", .values = log.reward}};
    if (has(needs, Need::weights)) {
        columns.push_back(
            {.name = "propensity",
             .values = log.propensity,
             .low = 0,
             .high = 1,
             .excludes_low = true}
        );
        columns.push_back(
            {.name = "target_probability", .values = log.target_probability, .low = 0, .high = 1}
        );
    }
    if (has(needs, Need::q)) {
        columns.push_back({.name = "q_factual", .values = log.q_factual});
        columns.push_back({.name = "q_policy", .values = log.q_policy});
    }
    if (has(needs, Need::mrdr_q)) {
        columns.push_back({.name = "mrdr_q_factual", .values = log.mrdr_q_factual});
        columns.push_back({.name = "mrdr_q_policy", .values = log.mrdr_q_policy});
    }
    for (const auto& column : columns) {
        if (auto checked = check_column(column, log.size()); !checked) {
            return checked;
        }
    }
    return {};
}

Result<Contributions> contribute(
    const EstimatorEntry& entry, const LoggedRows& log, std::optional<double> parameter
) {
    const auto& declared = entry.parameter;
    const double value = parameter.value_or(declared.initial);
    if (parameter && (declared.name.empty() || !(value >= declared.min && value <= declared.max))) {
        return fail(
            ErrorCode::invalid_argument,
            declared.name.empty()
                ? fmt::format("{} has no parameter, {} was given", entry.name, value)
                : fmt::format(
                      "{} of {} is {}, expected {} .. {}",
                      declared.name,
                      entry.name,
                      value,
                      declared.min,
                      declared.max
                  )
        );
    }
    if (auto checked = check_rows(log, entry.needs); !checked) {
        return std::unexpected{std::move(checked.error())};
    }
    auto rows = entry.rows(log, value);
    if (rows.is_ratio() && !(mean_of(rows.denominator) > 0)) {
        return fail(
            ErrorCode::invalid_argument,
            "the judged policy never takes a logged action, so its weights cannot be normalised",
            "log with some uniform exploration (epsilon > 0)"
        );
    }
    return rows;
}

std::vector<double> importance_weights(const LoggedRows& log) {
    std::vector<double> weights(log.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] = log.target_probability[i] / log.propensity[i];
    }
    return weights;
}

std::vector<double> mrdr_weights(const LoggedRows& log) {
    auto weights = importance_weights(log);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] *= weights[i] * (1 - log.propensity[i]);
    }
    return weights;
}

}  // namespace hg::evaluate
