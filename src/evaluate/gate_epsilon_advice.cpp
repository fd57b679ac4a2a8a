// SPDX-License-Identifier: Apache-2.0
// When no amount of data lets a candidate pass, because it stakes too much on single slates: the
// share of uniform slates that it must be served with to be judged at all.
#include "evaluate/gate.hpp"
#include "evaluate/overlap.hpp"

#include <algorithm>
#include <cmath>

namespace hg::evaluate {
namespace {

constexpr int percents = 100;  // epsilon is said in whole ones

/// The candidate with a share epsilon of uniform slates.
std::vector<double> mixed_weights(const GateInput& input, double epsilon) {
    const auto& log = input.candidate;
    std::vector<double> weights(log.size());
    for (std::size_t i = 0; i < log.size(); ++i) {
        const double target =
            (1 - epsilon) * log.target_probability[i] + epsilon * input.uniform_probability[i];
        weights[i] = target / log.propensity[i];
    }
    return weights;
}

bool passes(const Overlap& overlap, const GateRecord& record) {
    const auto& o = record.options;
    const double needed =
        std::max(o.min_effective_rows, o.min_effective_share * static_cast<double>(record.n_rows));
    return overlap.effective_rows >= needed &&
           std::abs(overlap.mean_weight_z) <= o.max_mean_weight_z &&
           overlap.largest_share <= o.max_weight_share;
}

std::optional<double> smallest_on_log(const GateRecord& record, const GateInput& input) {
    for (int percent = 1; percent < percents; ++percent) {
        const double epsilon = percent / static_cast<double>(percents);
        const auto overlap = measure_overlap(mixed_weights(input, epsilon), input.units);
        if (passes(overlap, record)) {
            return epsilon;
        }
    }
    return {};
}

}  // namespace

std::optional<double> uniform_effective_share(const GateInput& input) {
    if (input.uniform_probability.empty()) {
        return {};
    }
    const auto& log = input.candidate;
    double first = 0;
    double second = 0;
    for (std::size_t i = 0; i < log.size(); ++i) {
        const double target = log.target_probability[i];
        const double uniform = input.uniform_probability[i];
        first += target / log.propensity[i];
        second += uniform > 0 ? target * target / (uniform * log.propensity[i]) : 0;
    }
    if (!(first > 0)) {
        return {};
    }
    const auto n = static_cast<double>(log.size());
    return first / n * (first / n) / (second / n);
}

std::optional<EpsilonAdvice> advise_epsilon(const GateRecord& record, const GateInput& input) {
    const auto share = uniform_effective_share(input);
    const double wanted = record.options.min_effective_share;
    if (!share || *share >= wanted) {
        return {};  // uniform traffic, enough of it, would do
    }
    EpsilonAdvice advice{.uniform_share = *share};
    // E[((1 - e) w + e)^2] = (1 - e)^2 E[w^2] + 2 (1 - e) e + e^2, as E[w] = 1.
    for (int percent = 1; percent <= percents && !advice.on_uniform_traffic; ++percent) {
        const double e = percent / static_cast<double>(percents);
        const double mixed = (1 - e) * (1 - e) / *share + 2 * (1 - e) * e + e * e;
        if (1 / mixed >= wanted) {
            advice.on_uniform_traffic = e;
        }
    }
    advice.on_this_log = smallest_on_log(record, input);
    return advice;
}

}  // namespace hg::evaluate
