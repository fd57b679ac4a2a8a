// SPDX-License-Identifier: Apache-2.0
#include "serve/snapshot.hpp"

#include "core/log.hpp"
#include "core/top_k.hpp"
#include "encode/encoder_entry.hpp"
#include "encode/vector_store.hpp"
#include "serve/item_fields.hpp"
#include "train/first_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::serve {
namespace {

constexpr std::size_t n_neighbours = 10;
constexpr std::size_t max_trait_words = 300;

/// The part of a category column that belongs to the model's items, in the model's order.
data::Field by_model_row(
    const data::Field& field, const data::Dataset& dataset, const data::IdMap& items
) {
    data::Field out;
    out.name = field.name;
    out.kind = field.kind;
    out.vocabulary = field.vocabulary;
    out.code_offsets.push_back(0);
    for (std::uint32_t item = 0; item < items.size(); ++item) {
        const auto row = dataset.items.find(items.name(item));
        const bool is_present = row && field.present[*row] != 0;
        if (is_present) {
            const auto codes = field.row_codes(*row);
            out.codes.insert(out.codes.end(), codes.begin(), codes.end());
        }
        out.present.push_back(is_present ? 1 : 0);
        out.code_offsets.push_back(static_cast<std::int64_t>(out.codes.size()));
    }
    return out;
}

constexpr std::size_t first_screen_length = 50;

/// What newcomers are asked for: where there is a belief, what teaches it most.
std::vector<ItemRow> first_screen(const Snapshot& snapshot, const ItemTable& items) {
    const auto* const prior = snapshot.run.model->belief_prior();
    const auto n_users = static_cast<float>(items.dataset().log.n_users());
    if (prior == nullptr || n_users == 0) {
        return {};
    }
    std::vector<float> shares(prior->n_items());
    {
        const auto read = items.read();
        for (std::size_t row = 0; row < std::min(shares.size(), snapshot.item_rows.size()); ++row) {
            shares[row] = static_cast<float>(read.n_events(snapshot.item_rows[row])) / n_users;
        }
    }
    std::vector<ItemRow> screen;
    for (const auto row :
         train::first_screen(*prior, shares, train::Asking::evidence, first_screen_length)) {
        screen.push_back(snapshot.item_rows[row]);
    }
    return screen;
}

std::vector<data::Field> trait_fields(const data::Dataset& dataset, const data::IdMap& items) {
    std::vector<data::Field> fields;
    for (const auto& field : dataset.item_fields.fields()) {
        const bool has_words =
            field.kind == data::FieldKind::category || field.kind == data::FieldKind::categories;
        if (has_words && field.vocabulary.size() <= max_trait_words) {
            fields.push_back(by_model_row(field, dataset, items));
        }
    }
    return fields;
}

/// The encoder that made the run's content: as stored beside the vectors, else (fields) learned
/// again.
void load_content(
    Snapshot& snapshot,
    const SnapshotSource& source,
    const data::Dataset& dataset,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const auto& manifest = snapshot.run.manifest;
    const auto named = manifest.find("content_encoder");
    const bool has_name = named != manifest.end() && named->is_string() && *named != "none";
    const auto choice = has_name ? named->get<std::string>() : std::string{"auto"};
    try {
        const auto vectors = encode::content_for(dataset, source.data, choice, progress, stop);
        if (!vectors) {
            return;
        }
        const auto folder = encode::vectors_folder(source.data, vectors->encoder);
        if (std::filesystem::exists(folder / "encoder.json")) {
            snapshot.encoder = encode::load_encoder(folder);
        } else if (vectors->encoder == "fields") {
            const encode::EncodeContext context{
                .items = dataset.item_fields, .rng = Rng{7}, .progress = progress, .stop = stop
            };
            snapshot.encoder = encode::find_encoder("fields").fit(context, {});
        }
        encode::ItemVectors ours{.encoder = vectors->encoder};
        const auto n = snapshot.run.items.size();
        ours.vectors = Matrix<float>(n, vectors->dim());
        ours.present.assign(n, 0);
        for (std::uint32_t item = 0; item < n; ++item) {
            const auto row = dataset.items.find(snapshot.run.items.name(item));
            if (!row || vectors->present[*row] == 0) {
                continue;
            }
            std::ranges::copy(vectors->vectors.row(*row), ours.vectors.row(item).begin());
            ours.present[item] = 1;
        }
        snapshot.content = std::move(ours);
    } catch (const Error& error) {
        log::warn("no content for new items", {{"why", error.message()}});
    }
}

/// Users of the dataset, evenly spaced: who the index is measured by.
Matrix<float> sample_users(const Snapshot& snapshot, const data::Dataset& dataset) {
    constexpr std::size_t n_wanted = 200;
    constexpr std::size_t n_last = 50;
    const auto& log = dataset.log;
    const auto step = std::max<std::size_t>(1, log.n_users() / n_wanted);
    std::vector<data::HistoryBuffer> buffers;
    for (std::size_t user = 0; user < log.n_users() && buffers.size() < n_wanted; user += step) {
        const auto history = log.history(UserId{static_cast<std::uint32_t>(user)});
        data::HistoryBuffer buffer;
        for (auto i = history.size() - std::min(n_last, history.size()); i < history.size(); ++i) {
            const auto row = snapshot.model_row(history.items[i].value);
            if (row != Snapshot::not_in_model) {
                buffer.add({.item = ItemId{row}, .weight = history.weight(i)});
            }
        }
        if (buffer.view().size() > 0) {
            buffers.push_back(std::move(buffer));
        }
    }
    std::vector<data::History> histories;
    for (const auto& buffer : buffers) {
        histories.push_back(buffer.view());
    }
    const auto& model = *snapshot.run.model;
    Matrix<float> users(histories.size(), model.item_vectors()->cols());
    model.user_vectors(histories, users.view());
    return users;
}

void make_retrieval(
    Snapshot& snapshot,
    const SnapshotSource& source,
    const data::Dataset& dataset,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const auto& choice = source.retrieval;
    const auto items = snapshot.run.model->item_vectors();
    if (items) {
        snapshot.retrieval = Retrieval::make(
            *items,
            sample_users(snapshot, dataset).view(),
            choice,
            index_file(source.run),
            progress,
            stop
        );
        return;
    }
    const auto kind = snapshot.run.manifest.value("model", "this model");
    if (choice.index == IndexChoice::hnsw || choice.precision != ItemPrecision::float32) {
        log::warn(
            "every item is scored by the model itself",
            {{"why", kind + " has no item vectors, so neither an index nor a table of them"}}
        );
    } else if (choice.index == IndexChoice::automatic &&
               snapshot.run.items.size() > choice.index_above) {
        log::info("no index: every item is scored", {{"why", kind + " has no item vectors"}});
    }
}

double norm(std::span<const float> vector) {
    return std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
}

std::vector<ContentNeighbour> neighbours_of(
    const Snapshot& snapshot, std::span<const float> vector
) {
    const double length = norm(vector);
    std::vector<float> similarities(snapshot.content->n_items(), masked_score);
    for (std::size_t row = 0; row < similarities.size(); ++row) {
        if (snapshot.content->present[row] == 0) {
            continue;
        }
        const auto other = snapshot.content->vectors.row(row);
        const double dot = std::inner_product(vector.begin(), vector.end(), other.begin(), 0.0);
        similarities[row] = static_cast<float>(dot / std::max(1e-12, length * norm(other)));
    }
    std::vector<ContentNeighbour> neighbours;
    for (const auto& [row, similarity] : top_k(similarities, n_neighbours)) {
        if (similarity > 0) {
            neighbours.push_back({.row = snapshot.item_rows[row], .similarity = similarity});
        }
    }
    return neighbours;
}

}  // namespace

std::filesystem::path index_file(const std::filesystem::path& run) {
    auto folder = run.lexically_normal();
    if (folder.filename().empty()) {
        folder = folder.parent_path();  // "runs/als/"
    }
    return folder.parent_path() / (folder.filename().string() + ".hnsw.safetensors");
}

std::shared_ptr<const Snapshot> load_snapshot(
    const SnapshotSource& source,
    std::uint64_t number,
    ItemTable& items,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->number = number;
    snapshot->run = train::load_run(source.run);
    if (source.admit) {
        snapshot->admitted = source.admit(snapshot->run);
    }
    snapshot->blend = dynamic_cast<const train::Blend*>(snapshot->run.model.get());
    snapshot->is_belief = snapshot->run.manifest.value("model", "") == "gaussian";
    const auto& dataset = items.dataset();
    const auto& names = snapshot->run.items;
    std::size_t n_known = 0;
    for (std::uint32_t item = 0; item < names.size(); ++item) {
        n_known += dataset.items.find(names.name(item)) ? 1U : 0U;
        snapshot->item_rows.push_back(items.intern(names.name(item)));
    }
    if (names.size() == 0 || n_known == 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "none of the {} items of run {} is in dataset {}",
                names.size(),
                source.run.string(),
                dataset.name
            ),
            "give the --data that the run was trained on",
        };
    }
    {
        const auto read = items.read();
        snapshot->model_rows.assign(read.size(), Snapshot::not_in_model);
        for (std::uint32_t item = 0; item < names.size(); ++item) {
            snapshot->model_rows[snapshot->item_rows[item]] = item;
            snapshot->sorted_counts.push_back(read.n_events(snapshot->item_rows[item]));
        }
    }
    std::ranges::sort(snapshot->sorted_counts);
    snapshot->first_screen = first_screen(*snapshot, items);
    snapshot->trait_fields = trait_fields(dataset, names);
    load_content(*snapshot, source, dataset, progress, stop);
    make_retrieval(*snapshot, source, dataset, progress, stop);
    return snapshot;
}

std::vector<std::optional<EncodedItem>> encode_items(
    const Snapshot& snapshot, std::span<const nlohmann::json> items, const data::Catalogue& like
) {
    std::vector<std::optional<EncodedItem>> encoded(items.size());
    if (items.empty() || snapshot.encoder == nullptr || !snapshot.content) {
        return encoded;
    }
    SilentProgress silent;
    const auto made = snapshot.encoder->represent(catalogue_of(items, like), silent, {});
    if (made.dim() != snapshot.content->dim()) {
        return encoded;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (made.present[i] == 0) {
            continue;
        }
        const auto vector = made.vectors.row(i);
        encoded[i] = EncodedItem{
            .content = {vector.begin(), vector.end()}, .neighbours = neighbours_of(snapshot, vector)
        };
    }
    return encoded;
}

void encode_arrivals(const Snapshot& snapshot, ItemTable& table) {
    std::vector<ItemRow> rows;
    std::vector<nlohmann::json> fields;
    {
        const auto items = table.read();
        for (const auto row : items.arrivals()) {
            if (items.is_stub(row) || snapshot.model_row(row) != Snapshot::not_in_model) {
                continue;
            }
            rows.push_back(row);
            fields.push_back(items.fields(row));
        }
    }
    auto encoded = encode_items(snapshot, fields, table.dataset().item_fields);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (encoded[i]) {
            table.set_content(
                rows[i], std::move(encoded[i]->content), std::move(encoded[i]->neighbours)
            );
        } else {
            table.set_content(rows[i], {}, {});
        }
    }
}

}  // namespace hg::serve
