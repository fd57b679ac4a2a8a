// SPDX-License-Identifier: Apache-2.0
// The typed bandit: every user is one of a few types, hidden; items stay, and what they are to a type
// is linear in their features. The Bayes-optimal policy can be computed (policy/bayes_optimal.hpp).
//
//   P(click | item i, type k) = (1 - noise) / (1 + exp(-(bias + scale theta_k . x_i))) + noise / 2
//
// x_i and theta_k are unit vectors of task_seed; the type is new in every episode, k ~ exp(-skew k).
#pragma once

#include "core/matrix.hpp"
#include "core/options.hpp"

#include <cstdint>
#include <vector>

namespace hg::simulate {

struct TypedBanditOptions {
    std::int64_t arms = 5;
    std::int64_t types = 8;
    std::int64_t dim = 2;
    double scale = 3;
    double bias = -0.5;
    double skew = 0;
    double noise = 0;
    std::int64_t task_seed = 7;
    std::int64_t step_limit = 10;

    static void describe(OptionBinder& bind, TypedBanditOptions& o);
};

struct TypedBanditTruth {
    Matrix<float> items;             // [arms, dim]
    Matrix<double> click;            // [types, arms]
    std::vector<double> type_share;  // [types]
};

[[nodiscard]] TypedBanditTruth typed_bandit_truth(const TypedBanditOptions& options);

}  // namespace hg::simulate
