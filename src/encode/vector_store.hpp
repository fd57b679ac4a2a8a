// SPDX-License-Identifier: Apache-2.0
// Item vectors on disk: DATASET/vectors/ENCODER/vectors.safetensors, rows found by item id.
//
// Layout: docs/formats/vectors.md. Loading follows the ids of the dataset at hand, so vectors made
// before new items arrived still fit: items without a row are 0 and not present. Torch-free.
//
//   save_item_vectors(vectors_folder(dataset, "text"), vectors, data.items);
//   const auto content = content_for(data, dataset, "auto", progress, stop);
#pragma once

#include "core/error.hpp"
#include "core/progress.hpp"
#include "data/dataset.hpp"
#include "encode/item_vectors.hpp"

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string_view>

namespace hg::encode {

/// DATASET/vectors/ENCODER
[[nodiscard]] std::filesystem::path vectors_folder(
    const std::filesystem::path& dataset_folder, std::string_view encoder
);

/// Row i of `vectors` belongs to item i of `items`; fewer rows than items is allowed. Atomic;
/// throws Error.
void save_item_vectors(
    const std::filesystem::path& folder, const ItemVectors& vectors, const data::IdMap& items
);

/// [items.size(), d], rows in the order of `items`.
[[nodiscard]] Result<ItemVectors> load_item_vectors(
    const std::filesystem::path& folder, const data::IdMap& items
);

/// The content vectors a model trains with, items.size() rows. `choice`:
///   none     nothing
///   ENCODER  the vectors of that name on disk; "fields" is computed when it is not there
///   auto     fused, else text, else fields on disk; else fields computed; else nothing
/// Throws Error when a named encoder has no vectors.
[[nodiscard]] std::optional<ItemVectors> content_for(
    const data::Dataset& dataset,
    const std::filesystem::path& dataset_folder,
    std::string_view choice,
    ProgressSink& progress,
    std::stop_token stop
);

}  // namespace hg::encode
