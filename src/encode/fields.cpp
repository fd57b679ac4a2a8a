// SPDX-License-Identifier: Apache-2.0
#include "encode/fields.hpp"

#include "core/error.hpp"
#include "encode/encoder_files.hpp"
#include "encode/unicode.hpp"
#include "encode/unit_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ranges>
#include <string_view>
#include <utility>

namespace hg::encode {
namespace {

using data::Field;
using data::FieldKind;

/// Below this many rows a word that occurs once may still be all there is to know.
constexpr std::size_t few_rows = 20;
constexpr double max_deviations = 3;
constexpr std::size_t number_columns = 2;  // the value, and whether it is missing

bool is_terms(FieldKind kind) {
    return kind == FieldKind::text || kind == FieldKind::category || kind == FieldKind::categories;
}

bool has_value(const Field& field, std::size_t row) {
    return field.present.at(row) != 0;
}

std::vector<std::string> split_bars(std::string_view text) {
    std::vector<std::string> parts;
    for (const auto part : text | std::views::split('|')) {
        if (!part.empty()) {
            parts.emplace_back(part.begin(), part.end());
        }
    }
    return parts;
}

/// The terms of a row, seen as a field of `kind`: a new item may bring a genre as plain text.
std::vector<std::string> row_terms(const Field& field, std::size_t row, FieldKind kind) {
    if (!has_value(field, row)) {
        return {};
    }
    if (kind == FieldKind::text) {
        return lower_case_words(field.text(row));
    }
    if (field.kind == FieldKind::category || field.kind == FieldKind::categories) {
        std::vector<std::string> terms;
        for (const auto code : field.row_codes(row)) {
            terms.push_back(field.vocabulary.at(code));
        }
        return terms;
    }
    const auto text = field.text(row);
    return kind == FieldKind::category ? std::vector<std::string>{text} : split_bars(text);
}

std::optional<double> row_number(const Field& field, std::size_t row) {
    if (!has_value(field, row)) {
        return {};
    }
    double number = 0;
    if (field.kind == FieldKind::number) {
        number = static_cast<double>(field.numbers.at(row));
    } else {
        const auto text = field.text(row);
        const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
        if (parsed.ec != std::errc{}) {
            return {};
        }
    }
    if (!std::isfinite(number)) {
        return {};
    }
    return number;
}

FieldKind parse_kind(std::string_view name) {
    using enum FieldKind;
    for (const auto kind : {text, category, categories, number, link}) {
        if (data::to_string(kind) == name) {
            return kind;
        }
    }
    throw Error{
        ErrorCode::corrupt,
        fmt::format("unknown kind of field \"{}\"", name),
        "run honeyguide encode again"
    };
}

std::string state_name(std::size_t block, std::string_view what) {
    return fmt::format("block.{}.{}", block, what);
}

Error nothing_to_encode() {
    return {
        ErrorCode::invalid_argument,
        "the catalogue has no field to encode",
        "give items a title, description, genres, category or number column",
    };
}

}  // namespace

void FieldsOptions::describe(OptionBinder& bind, FieldsOptions& o) {
    bind(
        "dim",
        o.dim,
        "width of the vectors, by PCA when the fields have more columns",
        {.min = 1, .max = 4096}
    );
    bind("text", o.text, "how text fields count", {.choices = {"tfidf", "bow", "none"}});
    bind(
        "min_df", o.min_df, "items a word must occur in (catalogues under 20 items: 1)", {.min = 1}
    );
    bind(
        "max_terms",
        o.max_terms,
        "words or categories kept per field, most frequent first",
        {.min = 1}
    );
    bind("skip", o.skip, "fields left out");
}

std::size_t FieldsEncoder::Block::n_columns() const {
    return is_terms(kind) ? terms.size() : number_columns;
}

bool FieldsEncoder::can_encode(const data::Catalogue& items) {
    return items.n_rows() > 0 && std::ranges::any_of(items.fields(), [](const Field& field) {
               return field.kind != FieldKind::link;
           });
}

void FieldsEncoder::learn_block(const Field& field) {
    const auto n_rows = field.present.size();
    Block block{.name = field.name, .kind = field.kind, .terms = {}};
    if (is_terms(field.kind)) {
        std::vector<std::vector<std::string>> documents;
        documents.reserve(n_rows);
        for (std::size_t row = 0; row < n_rows; ++row) {
            documents.push_back(row_terms(field, row, field.kind));
        }
        block.terms = TermTable::learn(
            documents,
            {
                .min_df = n_rows < few_rows ? 1 : static_cast<std::size_t>(options_.min_df),
                .max_terms = static_cast<std::size_t>(options_.max_terms),
            }
        );
    } else {
        double sum = 0;
        double squares = 0;
        double n = 0;
        for (std::size_t row = 0; row < n_rows; ++row) {
            if (const auto number = row_number(field, row)) {
                n += 1;
                const double delta = *number - sum;  // Welford: `sum` is the running mean
                sum += delta / n;
                squares += delta * (*number - sum);
            }
        }
        block.mean = sum;
        block.deviation = n > 0 && squares > 0 ? std::sqrt(squares / n) : 1.0;
    }
    if (block.n_columns() > 0) {
        blocks_.push_back(std::move(block));
    }
}

std::unique_ptr<FieldsEncoder> FieldsEncoder::learn(
    const data::Catalogue& items, const FieldsOptions& options, const Rng& rng
) {
    std::unique_ptr<FieldsEncoder> encoder{new FieldsEncoder};
    encoder->options_ = options;
    for (const auto& field : items.fields()) {
        const bool is_skipped = std::ranges::find(options.skip, field.name) != options.skip.end() ||
                                field.kind == FieldKind::link ||
                                (field.kind == FieldKind::text && options.text == "none");
        if (!is_skipped) {
            encoder->learn_block(field);
        }
    }
    if (encoder->blocks_.empty() || items.n_rows() == 0) {
        throw nothing_to_encode();
    }
    const auto wanted = static_cast<std::size_t>(options.dim);
    if (encoder->n_columns() > wanted) {
        std::vector<std::uint8_t> present;
        auto pca = fit_pca(encoder->columns(items, present), wanted, rng.split("pca"));
        if (pca.dim() == 0) {
            throw Error{
                ErrorCode::invalid_argument,
                "all items have the same fields: nothing tells them apart",
                "give items a title, description, genres, category or number column",
            };
        }
        encoder->pca_ = std::move(pca);
    }
    return encoder;
}

bool FieldsEncoder::append(
    const Block& block,
    const Field* field,
    std::size_t row,
    std::size_t first_column,
    SparseRows& out
) const {
    if (!is_terms(block.kind)) {
        const auto number = field == nullptr ? std::nullopt : row_number(*field, row);
        if (number) {
            const double deviations = (*number - block.mean) / block.deviation;
            out.add(
                first_column,
                static_cast<float>(std::clamp(deviations, -max_deviations, max_deviations))
            );
        } else {
            out.add(first_column + 1, 1.0F);
        }
        return number.has_value();
    }
    if (field == nullptr) {
        return false;
    }
    const auto terms = row_terms(*field, row, block.kind);
    const auto text_weight = options_.text == "bow" ? TermWeight::count : TermWeight::tf_idf;
    const auto before = out.columns.size();
    block.terms.append(
        terms, block.kind == FieldKind::text ? text_weight : TermWeight::presence, first_column, out
    );
    return out.columns.size() > before;
}

SparseRows FieldsEncoder::columns(const data::Catalogue& items, std::vector<std::uint8_t>& present)
    const {
    SparseRows rows{.n_cols = n_columns()};
    std::vector<const Field*> fields;
    for (const auto& block : blocks_) {
        fields.push_back(items.find(block.name));
    }
    present.assign(items.n_rows(), 0);
    for (std::size_t row = 0; row < items.n_rows(); ++row) {
        std::size_t first_column = 0;
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            if (append(blocks_[b], fields[b], row, first_column, rows)) {
                present[row] = 1;
            }
            first_column += blocks_[b].n_columns();
        }
        rows.end_row();
    }
    return rows;
}

ItemVectors FieldsEncoder::represent(
    const data::Catalogue& items, ProgressSink& /*progress*/, std::stop_token /*stop*/
) const {
    ItemVectors out{.encoder = "fields"};
    const auto rows = columns(items, out.present);
    out.vectors = Matrix<float>(items.n_rows(), dim());
    if (pca_) {
        pca_->project(rows, out.vectors.view());
    } else {
        for (std::size_t row = 0; row < rows.n_rows(); ++row) {
            const auto row_columns = rows.row_columns(row);
            for (std::size_t i = 0; i < row_columns.size(); ++i) {
                out.vectors(row, row_columns[i]) = rows.row_values(row)[i];
            }
        }
    }
    scale_rows_to_unit(out.vectors.view(), out.present);
    return out;
}

std::size_t FieldsEncoder::n_columns() const {
    std::size_t total = 0;
    for (const auto& block : blocks_) {
        total += block.n_columns();
    }
    return total;
}

std::size_t FieldsEncoder::dim() const {
    return pca_ ? pca_->dim() : n_columns();
}

void FieldsEncoder::save(const std::filesystem::path& folder) const {
    SafetensorsWriter state;
    auto blocks = nlohmann::json::array();
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        const auto& block = blocks_[b];
        blocks.push_back({
            {"name", block.name},
            {"kind", data::to_string(block.kind)},
            {"mean", block.mean},
            {"deviation", block.deviation},
        });
        if (!is_terms(block.kind)) {
            continue;
        }
        state.add_strings(state_name(b, "terms"), block.terms.terms());
        state.add<float>(state_name(b, "idf"), std::span<const float>{block.terms.idf()});
    }
    if (pca_) {
        save_pca(*pca_, state);
    }
    write_encoder_state(folder, state);
    write_encoder_json(
        folder,
        "fields",
        {{"dim", dim()}, {"settings", options_json(options_)}, {"blocks", std::move(blocks)}}
    );
}

std::unique_ptr<FieldsEncoder> FieldsEncoder::load(const std::filesystem::path& folder) {
    const auto manifest = read_encoder_json(folder);
    const auto state = open_encoder_state(folder);
    std::unique_ptr<FieldsEncoder> encoder{new FieldsEncoder};
    try {
        encoder->options_.text = manifest.at("settings").at("text").get<std::string>();
        encoder->options_.dim = manifest.at("settings").at("dim").get<std::int64_t>();
        for (const auto& entry : manifest.at("blocks")) {
            const auto b = encoder->blocks_.size();
            Block block{.name = entry.at("name").get<std::string>(), .terms = {}};
            block.kind = parse_kind(entry.at("kind").get<std::string>());
            block.mean = entry.at("mean").get<double>();
            block.deviation = entry.at("deviation").get<double>();
            if (is_terms(block.kind)) {
                const auto terms = value_or_throw(state.strings(state_name(b, "terms")));
                const auto idf = value_or_throw(state.values<float>(state_name(b, "idf")));
                block.terms = TermTable{{terms.begin(), terms.end()}, {idf.begin(), idf.end()}};
            }
            encoder->blocks_.push_back(std::move(block));
        }
    } catch (const nlohmann::json::exception& error) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("{}/encoder.json: {}", folder.string(), error.what()),
            "run honeyguide encode again",
        };
    }
    if (state.contains("pca.components")) {
        encoder->pca_ = load_pca(state);
    }
    if (encoder->pca_ && encoder->pca_->mean.size() != encoder->n_columns()) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("{}: encoder.json and encoder.safetensors do not fit", folder.string()),
            "run honeyguide encode again",
        };
    }
    return encoder;
}

}  // namespace hg::encode
