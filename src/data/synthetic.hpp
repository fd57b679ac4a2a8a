// SPDX-License-Identifier: Apache-2.0
// Synthetic logs whose truth is known: latent preferences, drift, popularity bias, exposure with
// propensities.
//
// Items belong to genres and have a unit vector v near their genre's; users belong to segments and
// have a unit vector u near a mix of two genres. At each step an active user is shown one item,
// drawn from
//   e(i | segment) = (1 - exploration) softmax(popularity b_i + affinity c_segment . v_i)
//                    + exploration / n,
// which is the event's propensity, clicks with probability sigmoid(signal u . v + offset), and u
// then takes a random step of size `drift`. So exposure is confounded with preference as in real
// logs, and every estimator, recommender and debiasing method can be held against the truth. Same
// options, same log, on any machine.
//
//   const auto made = make_synthetic({.users = 100, .items = 50, .events = 2000, .seed = 7});
#pragma once

#include "core/error.hpp"
#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "core/options.hpp"
#include "data/dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace hg::data {

struct SyntheticOptions {
    std::int64_t users = 200;
    std::int64_t items = 100;
    std::int64_t events = 5000;
    std::int64_t seed = 1;
    std::int64_t dim = 8;
    std::int64_t genres = 6;
    std::int64_t segments = 4;
    double popularity = 1.0;
    double affinity = 2.0;
    double exploration = 0.1;
    double signal = 4.0;
    double offset = -1.0;
    double drift = 0.02;
    bool skips = false;

    static void describe(OptionBinder& bind, SyntheticOptions& o);
};

/// "users=1000,items=500,seed=7"; unknown names and values out of range are refused.
[[nodiscard]] Result<SyntheticOptions> parse_synthetic_options(std::string_view text);

struct Synthetic {
    SyntheticOptions options;
    Dataset data;                // events "click" (weight 1) and, with skips, "skip" (weight 0)
    Matrix<float> item_vectors;  // [items, dim], unit rows
    Matrix<float> user_vectors;  // [users, dim], unit rows, before any drift
    Matrix<float> final_user_vectors;     // [users, dim], unit rows, after the last event
    Matrix<float> exposure;               // [segments, items], rows sum to 1
    std::vector<std::uint32_t> segments;  // of each user

    /// The true probability of a click if the item is shown now, by the final vectors.
    [[nodiscard]] double click_probability(UserId user, ItemId item) const;
};

[[nodiscard]] Synthetic make_synthetic(const SyntheticOptions& options);

/// A raw folder (interactions.csv, items.csv, users.csv, dataset.toml) and truth.safetensors.
/// Throws Error.
void write_synthetic(const Synthetic& made, const std::filesystem::path& folder);

}  // namespace hg::data
