// SPDX-License-Identifier: Apache-2.0
#include "encode/vector_store.hpp"

#include "core/digest.hpp"
#include "core/log.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "encode/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hg::encode {
namespace {

constexpr auto format_version = "1";
constexpr auto digest_key = "blake2b";

std::filesystem::path vectors_path(const std::filesystem::path& folder) {
    return folder / "vectors.safetensors";
}

/// Rows for items beyond the catalogue: 0, not present.
ItemVectors with_rows(ItemVectors vectors, std::size_t n_items) {
    if (vectors.n_items() == n_items) {
        return vectors;
    }
    Matrix<float> all(n_items, vectors.dim());
    const auto known = std::min(n_items, vectors.n_items());
    for (std::size_t row = 0; row < known; ++row) {
        std::ranges::copy(vectors.vectors.row(row), all.row(row).begin());
    }
    vectors.vectors = std::move(all);
    vectors.present.resize(n_items, 0);
    if (!vectors.parts.empty()) {
        Matrix<std::uint8_t> parts(n_items, vectors.parts.size());
        for (std::size_t row = 0; row < known; ++row) {
            std::ranges::copy(vectors.part_present.row(row), parts.row(row).begin());
        }
        vectors.part_present = std::move(parts);
    }
    return vectors;
}

Result<void> check_shapes(
    const std::string& path, std::size_t n_rows, std::size_t n_ids, std::size_t n_present
) {
    if (n_rows == n_ids && n_rows == n_present) {
        return {};
    }
    return fail(
        ErrorCode::corrupt,
        fmt::format(
            "{}: {} vectors, {} ids and {} flags do not fit", path, n_rows, n_ids, n_present
        ),
        "run honeyguide encode again"
    );
}

template <typename Texts>
void add_texts(Digest& digest, const Texts& texts) {
    for (const auto& text : texts) {
        digest.update(fmt::format("{}:", text.size()));
        digest.update(std::string_view{text});
    }
}

/// Of all that a file says: a flipped bit must not become another vector.
template <typename Texts>
std::string content_digest(
    std::string_view encoder,
    MatrixView<const float> rows,
    std::span<const std::uint8_t> present,
    const Texts& ids,
    const Texts& parts,
    MatrixView<const std::uint8_t> part_present
) {
    Digest digest;
    digest.update(fmt::format("{}|{}|{}|{}|", encoder, rows.rows(), rows.cols(), parts.size()));
    digest.update(std::as_bytes(std::span{rows.data(), rows.rows() * rows.cols()}));
    digest.update(std::as_bytes(present));
    add_texts(digest, ids);
    add_texts(digest, parts);
    digest.update(
        std::as_bytes(std::span{part_present.data(), part_present.rows() * part_present.cols()})
    );
    return digest.hex();
}

void warn_if_stale(
    const ItemVectors& vectors, const data::Dataset& dataset, const std::filesystem::path& folder
) {
    const auto n_known = static_cast<std::size_t>(std::ranges::count(vectors.present, 1));
    const auto n_rows = std::min(dataset.item_fields.n_rows(), dataset.items.size());
    if (n_known * 2 < n_rows) {
        log::warn(
            "most items have no vector",
            {{"folder", folder.string()},
             {"items", n_rows},
             {"with_vector", n_known},
             {"next", "run honeyguide encode again"}}
        );
    }
}

std::optional<ItemVectors> computed_fields(
    const data::Dataset& dataset, ProgressSink& progress, std::stop_token stop
) {
    if (!FieldsEncoder::can_encode(dataset.item_fields)) {
        return {};
    }
    constexpr std::uint64_t seed = 7;
    const auto encoder = FieldsEncoder::learn(dataset.item_fields, FieldsOptions{}, Rng{seed});
    return with_rows(
        encoder->represent(dataset.item_fields, progress, std::move(stop)), dataset.items.size()
    );
}

}  // namespace

std::filesystem::path vectors_folder(
    const std::filesystem::path& dataset_folder, std::string_view encoder
) {
    return dataset_folder / "vectors" / encoder;
}

void save_item_vectors(
    const std::filesystem::path& folder, const ItemVectors& vectors, const data::IdMap& items
) {
    HG_CHECK(vectors.n_items() <= items.size(), "every row needs an item id");
    HG_CHECK(vectors.present.size() == vectors.n_items(), "every row needs its flag");
    auto ids = items.names();
    ids.resize(vectors.n_items());
    SafetensorsWriter writer;
    writer.add_metadata("format_version", format_version);
    writer.add_metadata("encoder", vectors.encoder);
    writer.add<float>("vectors", vectors.vectors.view());
    writer.add<std::uint8_t>("present", std::span<const std::uint8_t>{vectors.present});
    writer.add_strings("ids", ids);
    MatrixView<const std::uint8_t> part_present;
    if (!vectors.parts.empty()) {
        part_present = vectors.part_present.view();
        writer.add_strings("parts", vectors.parts);
        writer.add<std::uint8_t>("part_present", part_present);
    }
    writer.add_metadata(
        digest_key,
        content_digest(
            vectors.encoder,
            vectors.vectors.view(),
            vectors.present,
            ids,
            vectors.parts,
            part_present
        )
    );
    writer.save(vectors_path(folder));
}

Result<ItemVectors> load_item_vectors(
    const std::filesystem::path& folder, const data::IdMap& items
) {
    const auto path = vectors_path(folder);
    HG_TRY(const auto file, SafetensorsFile::open(path));
    HG_TRY(const auto rows, file.matrix<float>("vectors"));
    HG_TRY(const auto present, file.values<std::uint8_t>("present"));
    HG_TRY(const auto ids, file.strings("ids"));
    if (auto checked = check_shapes(path.string(), rows.rows(), ids.size(), present.size());
        !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    ItemVectors out;
    const auto named = file.metadata().find("encoder");
    out.encoder = named == file.metadata().end() ? folder.filename().string() : named->second;
    out.vectors = Matrix<float>(items.size(), rows.cols());
    out.present.assign(items.size(), 0);
    MatrixView<const std::uint8_t> parts;
    std::vector<std::string_view> part_names;
    if (file.contains("part_present")) {
        HG_TRY(parts, file.matrix<std::uint8_t>("part_present"));
        HG_TRY(part_names, file.strings("parts"));
        if (parts.rows() != rows.rows() || parts.cols() != part_names.size()) {
            return fail(
                ErrorCode::corrupt,
                path.string() + ": part_present does not fit",
                "run honeyguide encode again"
            );
        }
        out.parts.assign(part_names.begin(), part_names.end());
        out.part_present = Matrix<std::uint8_t>(items.size(), part_names.size());
    }
    if (const auto digest = file.metadata().find(digest_key);
        digest != file.metadata().end() &&
        digest->second != content_digest(out.encoder, rows, present, ids, part_names, parts)) {
        return fail(
            ErrorCode::corrupt,
            path.string() + ": the content differs from its digest",
            "the file is damaged: run honeyguide encode again"
        );
    }
    for (std::size_t row = 0; row < ids.size(); ++row) {
        const auto item = items.find(ids[row]);
        if (!item) {
            continue;
        }
        std::ranges::copy(rows.row(row), out.vectors.row(*item).begin());
        out.present[*item] = present[row];
        if (!out.parts.empty()) {
            std::ranges::copy(parts.row(row), out.part_present.row(*item).begin());
        }
    }
    return out;
}

std::optional<ItemVectors> content_for(
    const data::Dataset& dataset,
    const std::filesystem::path& dataset_folder,
    std::string_view choice,
    ProgressSink& progress,
    std::stop_token stop
) {
    if (choice == "none") {
        return {};
    }
    const bool is_auto = choice == "auto";
    const std::vector<std::string_view> wanted =
        is_auto ? std::vector<std::string_view>{"fused", "text", "fields"}
                : std::vector<std::string_view>{choice};
    for (const auto encoder : wanted) {
        const auto folder = vectors_folder(dataset_folder, encoder);
        if (!std::filesystem::exists(vectors_path(folder))) {
            continue;
        }
        auto vectors = value_or_throw(load_item_vectors(folder, dataset.items));
        warn_if_stale(vectors, dataset, folder);
        return vectors;
    }
    if (is_auto) {
        return computed_fields(dataset, progress, std::move(stop));
    }
    if (choice == "fields") {
        if (auto vectors = computed_fields(dataset, progress, std::move(stop))) {
            return vectors;
        }
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("dataset \"{}\" has no item fields to encode", dataset.name),
            "give it an items file, or use --content none",
        };
    }
    throw Error{
        ErrorCode::not_found,
        fmt::format("no vectors of encoder \"{}\" in {}", choice, dataset_folder.string()),
        fmt::format(
            "run honeyguide encode --data {} --encoder {}", dataset_folder.string(), choice
        ),
    };
}

}  // namespace hg::encode
