// SPDX-License-Identifier: Apache-2.0
// VectorTable: the items of a model whose score is a product of vectors, and the best of them for a
// user, exactly.
//
// Scoring and choosing are one pass: a block of rows is scored and its best go into a heap, so no
// row of all scores is written. What is left is reading the table once, so memory is the limit. With
// int8 a quarter of it is read: codes with a scale for each row and column bound every score from both sides, and
// only rows that can be among the best by their upper bound are scored again from the floats. The
// answer is the same, not nearly the same.
//
//   VectorTable table{*model.item_vectors(), ItemPrecision::int8};
//   for (auto [row, score] : table.best(user_vector, 512)) ...
#pragma once

#include "core/matrix.hpp"
#include "core/top_k.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace hg::serve {

/// In what form the items are read; the scores are those of the floats.
enum class ItemPrecision : std::uint8_t { float32, int8 };

/// Takes away the rows that may not be among the answers. Called with few of them at a time.
using RowFilter = std::function<void(std::vector<Scored>&)>;

/// Const-safe.
class VectorTable {
  public:
    /// [n_items, d]; the view outlives the table.
    VectorTable(MatrixView<const float> vectors, ItemPrecision precision);

    /// At most k rows, best first, ties by the lower row.
    [[nodiscard]] std::vector<Scored> best(
        std::span<const float> user, std::size_t k, const RowFilter& filter = {}
    ) const;

    /// Bit for bit what best() gives the row.
    [[nodiscard]] float score(std::span<const float> user, std::size_t row) const;

    [[nodiscard]] MatrixView<const float> vectors() const noexcept { return vectors_; }

    [[nodiscard]] ItemPrecision precision() const noexcept { return precision_; }

    /// What one pass reads.
    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    struct Query;

    [[nodiscard]] std::vector<Scored> best_of_floats(
        std::span<const float> user, std::size_t k, const RowFilter& filter
    ) const;
    [[nodiscard]] std::vector<Scored> best_of_codes(
        std::span<const float> user, std::size_t k, const RowFilter& filter
    ) const;
    [[nodiscard]] Query query_of(std::span<const float> vector) const;

    MatrixView<const float> vectors_;
    ItemPrecision precision_;
    std::size_t width_ = 0;           // of a row of codes
    std::vector<std::int8_t> codes_;  // [n_items, width], zeros behind the last column
    std::vector<float> scales_;       // vector ~ scale * columns * codes
    std::vector<float> columns_;      // the largest of each: one of small numbers counts as much
};

}  // namespace hg::serve
