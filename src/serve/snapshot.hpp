// SPDX-License-Identifier: Apache-2.0
// Snapshot: a run as it is served: the model, its rows mapped to the item table's, its content
// encoder.
//
// Immutable once published; requests hold the one they started with, so an answer is of one model
// only.
//
//   auto snapshot = load_snapshot({.run = "runs/blend", .data = "movies"}, number, items, progress, stop);
//   published.set(std::move(snapshot));           // the next request sees it
#pragma once

#include "core/progress.hpp"
#include "data/catalogue.hpp"
#include "encode/content_model.hpp"
#include "encode/item_vectors.hpp"
#include "policy/knobs.hpp"
#include "serve/item_table.hpp"
#include "serve/retrieval.hpp"
#include "train/blend.hpp"
#include "train/run.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace hg::serve {

/// Who chooses the knobs of a run, and why not what was asked for, in words for /v1/status.
struct Admitted {
    std::shared_ptr<const policy::KnobPolicy> knobs = std::make_shared<policy::ConstantKnobs>();
    std::string knobs_note{};
    std::string run_note{};
};

struct Snapshot {
    static constexpr std::uint32_t not_in_model = ~std::uint32_t{0};

    std::uint64_t number = 0;  // grows with each one published
    train::LoadedRun run;
    Admitted admitted{};
    const train::Blend* blend = nullptr;         // the model, when it is one
    bool is_belief = false;                      // the model is a belief and nothing else
    std::unique_ptr<const Retrieval> retrieval;  // null: the model is no product of vectors
    std::vector<std::uint32_t> model_rows;  // by ItemRow; rows past the end are not in the model
    std::vector<ItemRow> item_rows;         // by row of the model
    /// Of the model's items, ascending: the scale of popularity.
    std::vector<std::int64_t> sorted_counts;
    std::vector<ItemRow> first_screen;  // what to ask newcomers for; empty without a belief
    std::optional<encode::ItemVectors> content;           // by row of the model, when there is any
    std::unique_ptr<const encode::ContentModel> encoder;  // for items that arrive; null = cannot
    /// Category columns by row of the model, to put a belief into words.
    std::vector<data::Field> trait_fields;

    /// Null when no category column of the catalogue has that name.
    [[nodiscard]] const data::Field* trait_field(std::string_view name) const noexcept {
        const auto found = std::ranges::find(trait_fields, name, &data::Field::name);
        return found == trait_fields.end() ? nullptr : &*found;
    }

    [[nodiscard]] std::uint32_t model_row(ItemRow row) const noexcept {
        return row < model_rows.size() ? model_rows[row] : not_in_model;
    }
};

/// The snapshot that requests start with. Thread-safe.
class PublishedSnapshot {
  public:
    [[nodiscard]] std::shared_ptr<const Snapshot> get() const {
        const std::scoped_lock lock{mutex_};
        return current_;
    }

    void set(std::shared_ptr<const Snapshot> next) {
        const std::scoped_lock lock{mutex_};
        // The old one dies outside the lock, with the last request that holds it.
        current_.swap(next);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Snapshot> current_;
};

struct SnapshotSource {
    std::filesystem::path run;
    std::filesystem::path data;  // folder of the dataset, for the content encoder
    RetrievalOptions retrieval{};
    /// Asked once the run is loaded; throws Error where it may not serve. Empty: it may, by constant knobs of 0.
    std::function<Admitted(const train::LoadedRun& run)> admit{};
};

/// Where a run's index is kept: beside its folder, which never changes.
[[nodiscard]] std::filesystem::path index_file(const std::filesystem::path& run);

/// Throws Error: the run is missing, damaged, or of another dataset.
[[nodiscard]] std::shared_ptr<const Snapshot> load_snapshot(
    const SnapshotSource& source,
    std::uint64_t number,
    ItemTable& items,
    ProgressSink& progress,
    const std::stop_token& stop
);

/// What the snapshot's encoder makes of an item, and the item's neighbours in the model.
struct EncodedItem {
    std::vector<float> content;
    std::vector<ContentNeighbour> neighbours;
};

/// One per item; nothing where the snapshot has no encoder or the fields say nothing to it. `like`:
/// the columns the encoder learned from. Runs the encoder once.
[[nodiscard]] std::vector<std::optional<EncodedItem>> encode_items(
    const Snapshot& snapshot, std::span<const nlohmann::json> items, const data::Catalogue& like
);

/// What the snapshot's encoder makes of the items that arrived while serving, kept in the table.
void encode_arrivals(const Snapshot& snapshot, ItemTable& table);

}  // namespace hg::serve
