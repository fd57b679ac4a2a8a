// SPDX-License-Identifier: Apache-2.0
// TermTable: a vocabulary learned from a column, with the rarity of each term: bags of words,
// TF-IDF and one-hot categories all come from it.
//
// No hashing: a term that was not learned is not counted, and every column has a name a person can
// read. idf = ln((1 + n) / (1 + df)) + 1, rows scaled to length 1 (Salton and Buckley, 1988, as in
// scikit-learn).
//
//   const auto table = TermTable::learn(documents, {.min_df = 2, .max_terms = 20'000});
//   table.append(words, TermWeight::tf_idf, first_column, rows);
#pragma once

#include "encode/sparse_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace hg::encode {

enum class TermWeight : std::uint8_t {
    presence,  // 1 for each different term: categories
    count,     // how often: bag of words
    tf_idf,    // how often, times rarity
};

struct TermTableOptions {
    std::size_t min_df = 1;           // rows a term must occur in
    std::size_t max_terms = 100'000;  // the most frequent stay
};

class TermTable {
  public:
    TermTable() = default;
    TermTable(std::vector<std::string> terms, std::vector<float> idf);

    [[nodiscard]] static TermTable learn(
        std::span<const std::vector<std::string>> documents, const TermTableOptions& options
    );

    /// Adds the terms' weights, scaled to length 1, to the open row; nothing when none is known.
    void append(
        std::span<const std::string> words,
        TermWeight weight,
        std::size_t first_column,
        SparseRows& rows
    ) const;

    [[nodiscard]] std::size_t size() const noexcept { return terms_.size(); }

    [[nodiscard]] const std::vector<std::string>& terms() const noexcept { return terms_; }

    [[nodiscard]] const std::vector<float>& idf() const noexcept { return idf_; }

  private:
    std::vector<std::string> terms_;  // sorted
    std::vector<float> idf_;
    std::unordered_map<std::string, std::uint32_t> index_;
};

}  // namespace hg::encode
