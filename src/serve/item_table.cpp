// SPDX-License-Identifier: Apache-2.0
#include "serve/item_table.hpp"

#include "serve/item_fields.hpp"

#include <algorithm>
#include <mutex>

namespace hg::serve {
namespace {

// "Popular now" is said of the top twentieth of the items that had events.
constexpr std::size_t popular_share = 20;

}  // namespace

ItemTable::ItemTable(std::shared_ptr<const data::Dataset> dataset) : dataset_(std::move(dataset)) {
    for (std::uint32_t item = 0; item < dataset_->items.size(); ++item) {
        Row row{.id = dataset_->items.name(item), .dataset_row = item};
        if (item < dataset_->item_fields.n_rows()) {
            row.title = dataset_->item_fields.title(item);
        }
        rows_.push_back(std::move(row));
        index_.emplace(rows_.back().id, item);
    }
    const auto& columns = dataset_->log.columns();
    for (std::size_t i = 0; i < dataset_->log.size(); ++i) {
        if (columns.weights[i] > 0) {
            rows_[columns.items[i].index()].n_events += 1;
        }
    }
    std::vector<std::int64_t> counts;
    for (const auto& row : rows_) {
        if (row.n_events > 0) {
            counts.push_back(row.n_events);
        }
    }
    if (!counts.empty()) {
        const auto cut =
            counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / popular_share);
        std::ranges::nth_element(counts, cut, std::greater{});
        popular_from_ = *cut;
    }
}

ItemRow ItemTable::intern(std::string_view id) {
    {
        const std::shared_lock lock{mutex_};
        if (const auto found = index_.find(id); found != index_.end()) {
            return found->second;
        }
    }
    const std::unique_lock lock{mutex_};
    if (const auto found = index_.find(id); found != index_.end()) {
        return found->second;
    }
    const auto row = static_cast<ItemRow>(rows_.size());
    rows_.push_back({.id = std::string{id}});
    index_.emplace(rows_.back().id, row);
    arrivals_.push_back(row);
    return row;
}

void ItemTable::count(ItemRow row, std::int64_t n_events) {
    const std::unique_lock lock{mutex_};
    rows_[row].n_events += n_events;
}

void ItemTable::put(ItemRow row, nlohmann::json fields, TimeMs now) {
    const std::unique_lock lock{mutex_};
    auto& item = rows_[row];
    item.title = title_of(fields);
    item.fields = std::make_shared<const nlohmann::json>(std::move(fields));
    item.put = now;
    item.is_hidden = false;
    if (std::ranges::find(arrivals_, row) == arrivals_.end()) {
        arrivals_.push_back(row);
    }
    ++version_;
}

void ItemTable::hide(ItemRow row) {
    const std::unique_lock lock{mutex_};
    rows_[row].is_hidden = true;
    rows_[row].fields = nullptr;
    if (!rows_[row].dataset_row) {
        rows_[row].title.clear();
    }
    ++version_;
}

void ItemTable::set_content(
    ItemRow row, std::vector<float> content, std::vector<ContentNeighbour> neighbours
) {
    const std::unique_lock lock{mutex_};
    rows_[row].content = std::move(content);
    rows_[row].neighbours = std::move(neighbours);
    ++version_;
}

std::optional<ItemRow> ItemTable::Read::find(std::string_view id) const {
    const auto found = table_.index_.find(id);
    if (found == table_.index_.end()) {
        return std::nullopt;
    }
    return found->second;
}

bool ItemTable::Read::is_stub(ItemRow row) const {
    return ItemTable::is_stub(table_.rows_[row]);
}

bool ItemTable::Read::is_popular(ItemRow row) const {
    return table_.rows_[row].n_events >= table_.popular_from_;
}

bool ItemTable::Read::matches(ItemRow row, std::span<const FilterCondition> filter) const {
    const auto& item = table_.rows_[row];
    return std::ranges::all_of(filter, [&](const FilterCondition& condition) {
        if (item.fields != nullptr) {
            return serve::matches(*item.fields, condition);
        }
        const auto& catalogue = table_.dataset_->item_fields;
        return item.dataset_row && *item.dataset_row < catalogue.n_rows() &&
               serve::matches(catalogue, *item.dataset_row, condition);
    });
}

nlohmann::json ItemTable::Read::fields(ItemRow row) const {
    const auto& item = table_.rows_[row];
    if (item.fields != nullptr) {
        return *item.fields;
    }
    const auto& catalogue = table_.dataset_->item_fields;
    if (!item.dataset_row || *item.dataset_row >= catalogue.n_rows()) {
        return nlohmann::json::object();
    }
    return fields_json(catalogue, *item.dataset_row);
}

template <typename Before>
std::vector<ItemRow> ItemTable::Read::first_shown(std::size_t k, Before&& before) const {
    std::vector<ItemRow> rows;
    for (ItemRow row = 0; row < size(); ++row) {
        if (!is_hidden(row) && !is_stub(row)) {
            rows.push_back(row);
        }
    }
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(std::min(k, rows.size()));
    std::ranges::partial_sort(rows, end, before);
    rows.erase(end, rows.end());
    return rows;
}

std::vector<ItemRow> ItemTable::Read::popular(std::size_t k) const {
    return first_shown(k, [this](ItemRow a, ItemRow b) {
        return n_events(a) != n_events(b) ? n_events(a) > n_events(b) : a < b;
    });
}

std::vector<ItemRow> ItemTable::Read::latest(std::size_t k) const {
    return first_shown(k, [this](ItemRow a, ItemRow b) {
        const auto put_a = table_.rows_[a].put;
        const auto put_b = table_.rows_[b].put;
        return put_a != put_b ? put_a > put_b : a > b;
    });
}

void restore_items(ItemTable& table, std::span<const data::ItemRecord> records) {
    for (const auto& record : records) {
        const auto row = table.intern(record.item_id);
        table.count(row, record.n_events);
        if (record.is_deleted) {
            table.hide(row);
        } else if (!record.is_stub) {
            table.put(row, nlohmann::json::parse(record.fields), record.updated);
        }
    }
}

}  // namespace hg::serve
