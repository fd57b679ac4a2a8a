// SPDX-License-Identifier: Apache-2.0
// Csr: a sparse matrix of who liked what, and the item by item counts made from it.
//
// Only events with weight > 0 enter; a pair is one entry however often it happened, its value the
// sum of the events' weights. Torch-free: the counting models (item_knn, naive_bayes_lift, ease,
// als) share it.
//
//   const Csr users = positive_pairs(log);                       // [n_users, n_items]
//   for_each_cooccurrence_row(users, [&](ItemId item, std::span<const Neighbour> others) { ... });
#pragma once

#include "core/ids.hpp"
#include "core/safetensors.hpp"
#include "data/history.hpp"
#include "data/interaction_log.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace hg::train {

struct Csr {
    std::vector<std::int64_t> offsets;   // [n_rows + 1]
    std::vector<std::uint32_t> indices;  // ascending within a row
    std::vector<float> values;
    std::size_t n_cols = 0;

    [[nodiscard]] std::size_t n_rows() const noexcept {
        return offsets.empty() ? 0 : offsets.size() - 1;
    }

    [[nodiscard]] std::span<const std::uint32_t> row(std::size_t index) const {
        return std::span{indices}.subspan(begin(index), end(index) - begin(index));
    }

    [[nodiscard]] std::span<const float> row_values(std::size_t index) const {
        return std::span{values}.subspan(begin(index), end(index) - begin(index));
    }

  private:
    [[nodiscard]] std::size_t begin(std::size_t index) const {
        return static_cast<std::size_t>(offsets[index]);
    }

    [[nodiscard]] std::size_t end(std::size_t index) const { return begin(index + 1); }
};

/// The distinct items of a history with weight > 0, ascending, each with the sum of its weights.
struct PositiveItems {
    std::vector<std::uint32_t> items;
    std::vector<float> weights;
};

[[nodiscard]] PositiveItems positive_items(const data::History& history);

/// [n_users, n_items].
[[nodiscard]] Csr positive_pairs(const data::InteractionLog& log);

[[nodiscard]] Csr transpose(const Csr& matrix);

/// How many rows hold each column: the users of an item.
[[nodiscard]] std::vector<float> column_counts(const Csr& matrix);

/// NAME.offsets, NAME.items and NAME.values of a weights file.
void save_csr(SafetensorsWriter& weights, const std::string& name, const Csr& matrix);

/// Checks every offset and index: the file may be damaged. n_rows = n_cols = n_items.
[[nodiscard]] Result<Csr> load_csr(
    const SafetensorsFile& weights, const std::string& name, std::size_t n_items
);

struct Neighbour {
    std::uint32_t item = 0;
    float count = 0;  // users who have both, by their weights
};

/// The `most` of the highest count (0 = all; the lower item where counts are equal), in no order.
void keep_strongest(std::vector<Neighbour>& row, std::size_t most);

/// Calls `visit` for each item in turn with the items some user has beside it (ascending, without
/// itself). user_weights: >= 0, [n_users], or empty = 1 each; users of weight 0 are left out.
/// O(sum over users of n_items(user)^2) time, O(n_items) memory; the span is reused.
void for_each_cooccurrence_row(
    const Csr& users,
    const std::function<void(ItemId, std::span<const Neighbour>)>& visit,
    std::span<const float> user_weights = {}
);

}  // namespace hg::train
