// SPDX-License-Identifier: Apache-2.0
// FieldsEncoder: attributes -> vectors, learned from a catalogue in seconds and without a neural
// network.
//
// One block of columns a field, each about length 1 so that no field drowns the others:
//   text        words, TF-IDF (or counts), min_df
//   category    one-hot;   categories: multi-hot
//   number      standardised, cut at +-3, and a flag for missing
//   link        ignored
// The blocks side by side go through PCA when there are more columns than `dim`; rows then get
// length 1. A row with no value at all is 0 and marked as not present. Torch-free; const-safe.
//
//   const auto encoder = FieldsEncoder::learn(catalogue, {.dim = 64}, rng);
#pragma once

#include "core/options.hpp"
#include "core/rng.hpp"
#include "encode/content_model.hpp"
#include "encode/pca.hpp"
#include "encode/term_table.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hg::encode {

struct FieldsOptions {
    std::int64_t dim = 64;
    std::string text = "tfidf";
    std::int64_t min_df = 2;
    std::int64_t max_terms = 20'000;
    std::vector<std::string> skip;

    static void describe(OptionBinder& bind, FieldsOptions& o);
};

class FieldsEncoder final : public ContentModel {
  public:
    /// Throws Error when the catalogue has no field that can be encoded.
    [[nodiscard]] static std::unique_ptr<FieldsEncoder> learn(
        const data::Catalogue& items, const FieldsOptions& options, const Rng& rng
    );
    [[nodiscard]] static std::unique_ptr<FieldsEncoder> load(const std::filesystem::path& folder);

    [[nodiscard]] ItemVectors represent(
        const data::Catalogue& items, ProgressSink& progress, std::stop_token stop
    ) const override;
    [[nodiscard]] std::size_t dim() const override;
    void save(const std::filesystem::path& folder) const override;

    /// A catalogue worth learning from: at least one field that is not a link, and one row.
    [[nodiscard]] static bool can_encode(const data::Catalogue& items);

  private:
    /// What was learned of one field.
    struct Block {
        std::string name;
        data::FieldKind kind = data::FieldKind::text;
        TermTable terms;  // text, category, categories
        double mean = 0;  // number
        double deviation = 1;

        [[nodiscard]] std::size_t n_columns() const;
    };

    FieldsEncoder() = default;
    void learn_block(const data::Field& field);
    /// The open row gets this block's columns; true where the row has a value.
    bool append(
        const Block& block,
        const data::Field* field,
        std::size_t row,
        std::size_t first_column,
        SparseRows& out
    ) const;
    [[nodiscard]] SparseRows columns(
        const data::Catalogue& items, std::vector<std::uint8_t>& present
    ) const;
    [[nodiscard]] std::size_t n_columns() const;

    FieldsOptions options_;
    std::vector<Block> blocks_;
    std::optional<Pca> pca_;
};

}  // namespace hg::encode
