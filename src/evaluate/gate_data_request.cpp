// SPDX-License-Identifier: Apache-2.0
// How much randomised traffic would decide a gate that held.
#include "evaluate/gate.hpp"
#include "evaluate/intervals.hpp"

#include <boost/math/distributions/normal.hpp>

#include <algorithm>
#include <cmath>

namespace hg::evaluate {
namespace {

/// The variance of one row of the paired difference under uniform traffic: the log's rows weighted
/// to it. Without uniform_probability: as the log's own.
double row_variance(const GateRecord& record, const GateInput& input) {
    const auto n = static_cast<double>(record.n_rows);
    if (input.uniform_probability.empty()) {
        return *record.standard_error * *record.standard_error * n;
    }
    const auto& log = input.candidate;
    double second_moment = 0;
    std::vector<double> foreseen(log.size());
    for (std::size_t i = 0; i < log.size(); ++i) {
        const double change = (log.target_probability[i] - input.incumbent_probability[i]) *
                              (log.reward[i] - log.q_factual[i]);
        const double uniform = input.uniform_probability[i];
        second_moment += uniform > 0 ? change * change / (uniform * log.propensity[i]) : 0;
        foreseen[i] = log.q_policy[i] - input.incumbent_q_policy[i];
    }
    const double spread = clustered_mean(foreseen).standard_error;
    return second_moment / n + spread * spread * n;
}

}  // namespace

double decisions_to_tell(double row_variance, double delta, const GateOptions& o, double counted) {
    const boost::math::normal standard;
    const double reach =
        boost::math::quantile(standard, o.level) + boost::math::quantile(standard, o.power);
    const double rows = reach * reach * row_variance / (delta * delta);
    return std::ceil(std::max(rows, o.min_effective_rows / counted));
}

std::optional<DataRequest> request_data(const GateRecord& record, const GateInput& input) {
    if (!record.difference || !(record.delta > 0)) {
        return {};
    }
    const auto& o = record.options;
    DataRequest request{.half_width = record.delta};
    const double counted = uniform_effective_share(input).value_or(1);
    request.decisions = decisions_to_tell(row_variance(record, input), record.delta, o, counted);
    if (!input.uniform_probability.empty()) {
        auto uniform = input.candidate;
        uniform.target_probability = input.uniform_probability;
        if (const auto value = contribute(find_estimator("snipw"), uniform)) {
            request.cost = request.decisions * (*record.incumbent_value - value->value());
        }
    }
    if (input.decisions_per_day && *input.decisions_per_day > 0) {
        request.days = request.decisions / (*input.decisions_per_day * o.random_share);
    }
    return request;
}

}  // namespace hg::evaluate
