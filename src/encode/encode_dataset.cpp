// SPDX-License-Identifier: Apache-2.0
#include "encode/encode_dataset.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/rng.hpp"
#include "data/dataset.hpp"
#include "encode/encoder_entry.hpp"
#include "encode/text_encoder.hpp"
#include "encode/vector_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hg::encode {

EncodeSummary encode_dataset(
    const EncodeRequest& request, ProgressSink& progress, std::stop_token stop
) {
    const auto& entry = find_encoder(request.encoder);
    const auto dataset = value_or_throw(data::open_dataset(request.folder));
    if (dataset.item_fields.n_rows() == 0 || dataset.item_fields.fields().empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: the dataset has no item fields to encode", request.folder.string()),
            "add an items file (items.csv with item_id, title, genres, description, ...)",
        };
    }
    const Stopwatch watch;
    const auto model = entry.fit(
        {
            .items = dataset.item_fields,
            .rng = Rng{request.seed},
            .progress = progress,
            .stop = stop,
            .cache = vectors_folder(request.folder, "cache"),
        },
        request.settings
    );
    const auto vectors = model->represent(dataset.item_fields, progress, std::move(stop));
    const auto folder = vectors_folder(request.folder, entry.name);
    model->save(folder);
    save_item_vectors(folder, vectors, dataset.items);
    return {
        .folder = folder,
        .n_items = vectors.n_items(),
        .n_present = static_cast<std::size_t>(std::ranges::count(vectors.present, 1)),
        .dim = vectors.dim(),
        .seconds = watch.seconds(),
    };
}

Matrix<float> encode_texts(
    std::span<const std::string> texts,
    const Settings& settings,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const auto bert = BertEncoder::load(settings.read<TextOptions>().bert());
    Matrix<float> vectors(texts.size(), bert->dim());
    Progress bar{progress, "encode", texts.size(), "texts"};
    bert->encode(
        texts,
        [&](std::size_t text, std::span<const float> vector) {
            std::ranges::copy(vector, vectors.row(text).begin());
            bar.advance();
        },
        stop
    );
    if (stop.stop_requested()) {
        throw Error{ErrorCode::interrupted, "stopped before all texts were encoded"};
    }
    return vectors;
}

}  // namespace hg::encode
