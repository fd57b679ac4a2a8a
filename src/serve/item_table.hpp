// SPDX-License-Identifier: Apache-2.0
// ItemTable: every item the server knows, as dense rows that are never reused: the dataset's, the
// run's, and those that arrive while serving. What changes while serving (fields, hidden, counts)
// lives here; what a model knows lives in the snapshot, which maps its own rows to these.
//
// Many readers, few writers: a shared lock. A Read holds it: keep it short.
//
//   const auto items = table.read();
//   if (auto row = items.find("B00X")) { use(items.title(*row)); }
#pragma once

#include "core/clock.hpp"
#include "data/dataset.hpp"
#include "data/event_store.hpp"
#include "serve/http/bodies.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::serve {

/// A row of the table; distinct from ItemId, which is a row of a dataset or of a model.
using ItemRow = std::uint32_t;

/// An item of the model with similar content, for items the model does not know.
struct ContentNeighbour {
    ItemRow row = 0;
    float similarity = 0;
};

class ItemTable {
  public:
    /// Starts with the dataset's items, in their order: row = ItemId of the dataset.
    explicit ItemTable(std::shared_ptr<const data::Dataset> dataset);

    class Read {
      public:
        explicit Read(const ItemTable& table) : table_(table), lock_(table.mutex_) {}

        [[nodiscard]] std::size_t size() const { return table_.rows_.size(); }

        [[nodiscard]] std::optional<ItemRow> find(std::string_view id) const;

        [[nodiscard]] const std::string& id(ItemRow row) const { return table_.rows_[row].id; }

        [[nodiscard]] const std::string& title(ItemRow row) const {
            return table_.rows_[row].title;
        }

        [[nodiscard]] bool is_hidden(ItemRow row) const { return table_.rows_[row].is_hidden; }

        /// Only an event has told of it: nothing to show.
        [[nodiscard]] bool is_stub(ItemRow row) const;
        [[nodiscard]] bool is_popular(ItemRow row) const;

        [[nodiscard]] std::int64_t n_events(ItemRow row) const {
            return table_.rows_[row].n_events;
        }

        [[nodiscard]] bool matches(ItemRow row, std::span<const FilterCondition> filter) const;
        [[nodiscard]] nlohmann::json fields(ItemRow row) const;

        [[nodiscard]] std::span<const float> content(ItemRow row) const {
            return table_.rows_[row].content;
        }

        [[nodiscard]] std::span<const ContentNeighbour> neighbours(ItemRow row) const {
            return table_.rows_[row].neighbours;
        }

        /// Rows that arrived after the dataset, and all that were put.
        [[nodiscard]] std::span<const ItemRow> arrivals() const { return table_.arrivals_; }

        /// Most events first; hidden ones and stubs left out.
        [[nodiscard]] std::vector<ItemRow> popular(std::size_t k) const;
        /// Those put last first, then the last rows of the dataset.
        [[nodiscard]] std::vector<ItemRow> latest(std::size_t k) const;

      private:
        template <typename Before>
        [[nodiscard]] std::vector<ItemRow> first_shown(std::size_t k, Before&& before) const;

        const ItemTable& table_;
        std::shared_lock<std::shared_mutex> lock_;
    };

    [[nodiscard]] Read read() const { return Read{*this}; }

    /// The row of this id, a new stub if it was unknown.
    ItemRow intern(std::string_view id);
    /// One more event on it.
    void count(ItemRow row, std::int64_t n_events = 1);
    void put(ItemRow row, nlohmann::json fields, TimeMs now);
    void hide(ItemRow row);
    void set_content(
        ItemRow row, std::vector<float> content, std::vector<ContentNeighbour> neighbours
    );

    /// Grows whenever the set of items that can be shown, or a score of one of them, may have
    /// changed.
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }

    [[nodiscard]] const data::Dataset& dataset() const noexcept { return *dataset_; }

  private:
    struct Row {
        std::string id{};
        std::string title{};
        std::optional<std::uint32_t> dataset_row{};
        std::shared_ptr<const nlohmann::json> fields{};  // as put; null: the dataset's
        std::int64_t n_events = 0;  // positive ones of the dataset, all that arrived
        TimeMs put = 0;
        bool is_hidden = false;
        std::vector<float> content{};
        std::vector<ContentNeighbour> neighbours{};
    };

    [[nodiscard]] static bool is_stub(const Row& row) {
        return !row.dataset_row && row.fields == nullptr;
    }

    std::shared_ptr<const data::Dataset> dataset_;
    mutable std::shared_mutex mutex_;
    std::deque<Row> rows_;
    std::unordered_map<std::string_view, ItemRow> index_;  // views into rows_, which never move
    std::vector<ItemRow> arrivals_;
    std::int64_t popular_from_ = 1;
    std::atomic<std::uint64_t> version_ = 0;
};

/// What a store knows of items, put into a table that has only the dataset's.
void restore_items(ItemTable& table, std::span<const data::ItemRecord> records);

}  // namespace hg::serve
