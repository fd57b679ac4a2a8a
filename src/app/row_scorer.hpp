// SPDX-License-Identifier: Apache-2.0
// RowScorer: a model asked about the items of a dataset, whatever its own rows are.
//
// A run knows its items by name, a grown model has the new ones at the end, a transferred one has
// all of them there. Events on items the model has no row for are left out of histories; such items
// score masked_score.
//
//   const RowScorer scorer{model, row_of};        scorer.score(histories, out);
#pragma once

#include "core/matrix.hpp"
#include "core/top_k.hpp"
#include "data/copy_event.hpp"
#include "train/recommender.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hg::app {

/// Scores histories of dataset items; rows of `out` follow the dataset whatever the model's own
/// rows are.
class RowScorer {
  public:
    static constexpr auto absent = static_cast<std::uint32_t>(-1);

    RowScorer(const train::Recommender& model, std::size_t n_items)
        : model_(model), n_items_(n_items) {}

    /// row_of: [n_items], the model's row of each item, or absent.
    RowScorer(const train::Recommender& model, std::vector<std::uint32_t> row_of)
        : model_(model), n_items_(row_of.size()), row_of_(std::move(row_of)), is_mapped_(true) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const {
        if (!is_mapped_) {
            model_.score(histories, out);
            return;
        }
        std::vector<data::HistoryBuffer> buffers(histories.size());
        std::vector<data::History> mapped;
        for (std::size_t i = 0; i < histories.size(); ++i) {
            fill(histories[i], buffers[i]);
            mapped.push_back(buffers[i].view());
        }
        Matrix<float> rows(histories.size(), model_.n_items());
        model_.score(mapped, rows.view());
        for (std::size_t i = 0; i < histories.size(); ++i) {
            for (std::size_t item = 0; item < n_items_; ++item) {
                out(i, item) = row_of_[item] == absent ? masked_score : rows(i, row_of_[item]);
            }
        }
    }

    [[nodiscard]] std::size_t n_unknown() const {
        return static_cast<std::size_t>(std::ranges::count(row_of_, absent));
    }

  private:
    void fill(const data::History& history, data::HistoryBuffer& buffer) const {
        buffer.set_attributes(history.attributes);
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (const auto row = row_of_[history.items[i].index()]; row != absent) {
                data::copy_event(history, i, ItemId{row}, buffer);
            }
        }
    }

    const train::Recommender& model_;
    std::size_t n_items_;
    std::vector<std::uint32_t> row_of_;  // [n_items] where rows are the model's own
    bool is_mapped_ = false;
};

}  // namespace hg::app
