// SPDX-License-Identifier: Apache-2.0
#include "encode/term_table.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace hg::encode {

TermTable::TermTable(std::vector<std::string> terms, std::vector<float> idf)
    : terms_(std::move(terms)), idf_(std::move(idf)) {
    HG_CHECK(terms_.size() == idf_.size(), "one idf per term");
    for (std::size_t i = 0; i < terms_.size(); ++i) {
        index_.emplace(terms_[i], static_cast<std::uint32_t>(i));
    }
}

TermTable TermTable::learn(
    std::span<const std::vector<std::string>> documents, const TermTableOptions& options
) {
    std::map<std::string_view, std::size_t> frequency;
    for (const auto& words : documents) {
        for (const auto& word : std::set<std::string_view>{words.begin(), words.end()}) {
            ++frequency[word];
        }
    }
    std::vector<std::pair<std::string_view, std::size_t>> kept;
    for (const auto& entry : frequency) {
        if (entry.second >= options.min_df) {
            kept.push_back(entry);
        }
    }
    if (kept.size() > options.max_terms) {
        std::ranges::stable_sort(kept, std::greater{}, &decltype(kept)::value_type::second);
        kept.resize(options.max_terms);
        std::ranges::sort(kept);
    }
    std::vector<std::string> terms;
    std::vector<float> idf;
    for (const auto& [term, df] : kept) {
        terms.emplace_back(term);
        const double ratio =
            (1.0 + static_cast<double>(documents.size())) / (1.0 + static_cast<double>(df));
        idf.push_back(static_cast<float>(std::log(ratio) + 1.0));
    }
    return {std::move(terms), std::move(idf)};
}

void TermTable::append(
    std::span<const std::string> words,
    TermWeight weight,
    std::size_t first_column,
    SparseRows& rows
) const {
    std::map<std::uint32_t, float> weights;
    for (const auto& word : words) {
        const auto found = index_.find(word);
        if (found == index_.end()) {
            continue;
        }
        auto& value = weights[found->second];
        value = weight == TermWeight::presence ? 1.0F : value + 1.0F;
    }
    double square = 0;
    for (auto& [term, value] : weights) {
        if (weight == TermWeight::tf_idf) {
            value *= idf_[term];
        }
        square += static_cast<double>(value) * static_cast<double>(value);
    }
    const double scale = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
    for (const auto& [term, value] : weights) {
        rows.add(first_column + term, static_cast<float>(static_cast<double>(value) * scale));
    }
}

}  // namespace hg::encode
