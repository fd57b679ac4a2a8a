// SPDX-License-Identifier: Apache-2.0
// VectorIndex: which items have the largest products with a user's vector, without looking at them
// all.
//
// A navigable small-world graph (HNSW: Malkov and Yashunin, 2018) of hnswlib over inner products, as
// in Morozov and Babenko, "Non-metric similarity graphs for maximum inner product search", NeurIPS
// 2018. What it finds is a guess: callers score the rows again and measure how many are missed
// (retrieval.hpp). The links are kept on disk, the vectors are the run's; a file of other vectors,
// or a damaged one, is refused.
//
//   auto index = VectorIndex::build(vectors, progress, stop);
//   index.save("runs/als.hnsw");
//   for (auto row : index.nearest(user_vector, 512)) ...
#pragma once

#include "core/error.hpp"
#include "core/matrix.hpp"
#include "core/progress.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::serve {

/// Const-safe.
class VectorIndex {
  public:
    /// Uses the threads of train/threads.hpp; with more than one the links depend on timing. Throws
    /// Error when stopped.
    [[nodiscard]] static VectorIndex build(
        MatrixView<const float> vectors, ProgressSink& progress, const std::stop_token& stop
    );

    /// The index of exactly these vectors, as saved. Fails: absent (not_found), made of others
    /// (conflict), damaged (corrupt).
    [[nodiscard]] static Result<VectorIndex> load(
        const std::filesystem::path& file, MatrixView<const float> vectors
    );

    /// Throws Error.
    void save(const std::filesystem::path& file) const;

    VectorIndex(VectorIndex&&) noexcept;
    VectorIndex& operator=(VectorIndex&&) noexcept;
    VectorIndex(const VectorIndex&) = delete;
    VectorIndex& operator=(const VectorIndex&) = delete;
    ~VectorIndex();

    /// About the `n` rows with the largest products, in no order. The more are asked for, the fewer
    /// of the very best are missed.
    [[nodiscard]] std::vector<std::uint32_t> nearest(std::span<const float> user, std::size_t n)
        const;

    /// In memory, its copy of the vectors included.
    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    struct Graph;
    explicit VectorIndex(std::unique_ptr<Graph> graph, std::string digest);

    std::unique_ptr<Graph> graph_;
    std::string digest_;  // of the vectors
};

}  // namespace hg::serve
