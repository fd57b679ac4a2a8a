// SPDX-License-Identifier: Apache-2.0
// KeptItems: the items that take part in a model with a matrix of items by items, the most popular
// ones, and where each stands in it. Const-safe.
//
//   const KeptItems kept{most_popular(column_counts(users), 5000), n_items};
//   kept.add_rows(history, weights, scores);     // weights [kept.size(), kept.size()]
#pragma once

#include "core/matrix.hpp"
#include "data/history.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hg::train {

/// At most `most` items (0 = all) by their counts, ascending by id; the lower id wins a tie.
[[nodiscard]] std::vector<std::uint32_t> most_popular(
    const std::vector<float>& counts, std::int64_t most
);

class KeptItems {
  public:
    /// items: distinct, each < n_items.
    KeptItems(std::vector<std::uint32_t> items, std::size_t n_items);

    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

    [[nodiscard]] const std::vector<std::uint32_t>& items() const noexcept { return items_; }

    [[nodiscard]] std::optional<std::size_t> place(std::uint32_t item) const {
        return places_[item] == absent ? std::nullopt : std::optional{std::size_t{places_[item]}};
    }

    /// scores[item] += sum over the distinct liked items of the history that are kept of
    /// rows(place, .), for the kept items; the others stay as they are. scores: [n_items].
    void add_rows(
        const data::History& history, MatrixView<const float> rows, std::span<float> scores
    ) const;

  private:
    static constexpr std::uint32_t absent = ~std::uint32_t{0};

    std::vector<std::uint32_t> items_;   // place -> item
    std::vector<std::uint32_t> places_;  // [n_items] the reverse
};

}  // namespace hg::train
