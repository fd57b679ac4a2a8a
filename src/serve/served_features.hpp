// SPDX-License-Identifier: Apache-2.0
// served_features: what is known of an item before anyone answers, for the reward model of
// judge_served.hpp: where it stands among the candidates of each judged policy, its popularity in
// the dataset, and which of the most shown items it is.
//
//   Standing standing{ids.size()};   standing.set(pool);   standing.of(item);
#pragma once

#include "core/top_k.hpp"
#include "data/dataset.hpp"
#include "data/id_map.hpp"
#include "data/impression_log.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::serve {

constexpr std::size_t n_named_items = 64;  // the most shown ones, each a feature of its own

/// How many standard deviations each candidate lies above the pool's mean, at most 3 either way;
/// what is not in the pool, at the bottom. Reused from decision to decision.
class Standing {
  public:
    explicit Standing(std::size_t n_items);

    void set(std::span<const Scored> pool);

    [[nodiscard]] float of(std::uint32_t item) const { return z_[item]; }

  private:
    std::vector<float> z_;
    std::vector<std::uint32_t> known_;
};

/// What is known of an item whoever is asked: its popularity, and its own column if it has one.
struct ItemFacts {
    std::vector<float> popularity;      // log(1 + positive events of the dataset)
    std::vector<std::uint32_t> column;  // n_named_items = none
};

/// `ids`: the log's items, then others.
[[nodiscard]] ItemFacts facts_of(
    const data::IdMap& ids, const data::Dataset& dataset, const data::ImpressionLog& log
);

}  // namespace hg::serve
