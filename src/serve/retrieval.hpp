// SPDX-License-Identifier: Apache-2.0
// Retrieval: the best items for a user's vector: all of them scored, or those an index proposes.
//
// Only for models that are products of vectors (Recommender::item_vectors). The exact pass reads
// every item; the index reads some thousands, however many there are. How much it misses depends on
// the vectors, so it is measured when the run is loaded: the number of proposals is chosen on some
// users of the dataset and checked on others, and where recall_wanted is not reached, or, where the choice is `automatic`, where so many
// proposals take longer than scoring every item, every item is scored, and the log says so. Proposals are scored again from the model's own vectors.
//
//   auto retrieval = Retrieval::make(vectors, users, options, file, progress, stop);
//   for (auto [row, score] : retrieval->best(user_vector, 512)) ...
#pragma once

#include "core/matrix.hpp"
#include "core/progress.hpp"
#include "core/top_k.hpp"
#include "serve/vector_index.hpp"
#include "serve/vector_table.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::serve {

enum class IndexChoice : std::uint8_t { automatic, exact, hnsw };

struct RetrievalOptions {
    IndexChoice index = IndexChoice::exact;
    ItemPrecision precision = ItemPrecision::float32;
    std::size_t index_above = 50'000;  // items from which on `automatic` makes an index
    double recall_wanted = 0.98;       // of the best 100
    /// `automatic` uses an index that takes at most this share of the time of scoring every item.
    double most_time_share = 1;
};

/// Const-safe.
class Retrieval {
  public:
    /// The views outlive it. `users` [n, d]: vectors of real users, to measure the index by.
    /// `file`: where the index is kept between starts.
    [[nodiscard]] static std::unique_ptr<const Retrieval> make(
        MatrixView<const float> items,
        MatrixView<const float> users,
        const RetrievalOptions& options,
        const std::filesystem::path& file,
        ProgressSink& progress,
        const std::stop_token& stop
    );

    /// At most k rows, best first: of the index's proposals where there is one, else of all.
    [[nodiscard]] std::vector<Scored> best(std::span<const float> user, std::size_t k) const;

    /// Of all items, and of those the filter leaves.
    [[nodiscard]] std::vector<Scored> best_of_all(
        std::span<const float> user, std::size_t k, const RowFilter& filter = {}
    ) const {
        return table_.best(user, k, filter);
    }

    [[nodiscard]] const VectorTable& table() const noexcept { return table_; }

    [[nodiscard]] bool has_index() const noexcept { return index_.has_value(); }

    /// How items are found, for /v1/status.
    [[nodiscard]] const nlohmann::json& facts() const noexcept { return facts_; }

  private:
    Retrieval(MatrixView<const float> items, const RetrievalOptions& options);

    void add_index(
        MatrixView<const float> users,
        const std::filesystem::path& file,
        ProgressSink& progress,
        const std::stop_token& stop
    );
    [[nodiscard]] std::vector<Scored> proposed(
        const VectorIndex& index, std::span<const float> user, std::size_t k, std::size_t proposals
    ) const;

    RetrievalOptions options_;
    VectorTable table_;
    std::optional<VectorIndex> index_;
    std::size_t proposals_ = 0;  // at least, of the index
    nlohmann::json facts_;
};

}  // namespace hg::serve
