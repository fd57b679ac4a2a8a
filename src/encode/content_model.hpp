// SPDX-License-Identifier: Apache-2.0
// ContentModel: c = f(attributes, content): what an item is, as a vector. One of the four models.
//
// Implementations: text (a BERT-family encoder), fields (categories, numbers, TF-IDF), fused
// (both); later image and audio. Const-safe after construction. The same input gives the same bytes; a batch equals one
// by one.
//
//   const ItemVectors vectors = model.represent(dataset.item_fields, progress, stop);
#pragma once

#include "core/progress.hpp"
#include "data/catalogue.hpp"
#include "encode/item_vectors.hpp"

#include <cstddef>
#include <filesystem>
#include <stop_token>

namespace hg::encode {

class ContentModel {
  public:
    ContentModel() = default;
    ContentModel(const ContentModel&) = delete;
    ContentModel& operator=(const ContentModel&) = delete;
    ContentModel(ContentModel&&) = delete;
    ContentModel& operator=(ContentModel&&) = delete;
    virtual ~ContentModel() = default;

    /// [n_rows, dim()]: one vector per catalogue row. Throws Error (also when stopped:
    /// interrupted).
    [[nodiscard]] virtual ItemVectors represent(
        const data::Catalogue& items, ProgressSink& progress, std::stop_token stop
    ) const = 0;
    [[nodiscard]] virtual std::size_t dim() const = 0;

    /// Writes encoder.json (and encoder.safetensors: what was learned) into the folder, so that
    /// load_encoder() gives a model that encodes a new item the same way. Atomic file by file.
    virtual void save(const std::filesystem::path& folder) const = 0;
};

}  // namespace hg::encode
