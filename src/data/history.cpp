// SPDX-License-Identifier: Apache-2.0
#include "data/history.hpp"

#include <algorithm>

namespace hg::data {
namespace {

template <typename T>
std::span<const T> part(std::span<const T> column, std::size_t first, std::size_t count) {
    return column.empty() ? column : column.subspan(first, count);
}

}  // namespace

std::string_view History::attribute(std::string_view name) const noexcept {
    const auto found = std::ranges::find(attributes, name, &Attribute::name);
    return found == attributes.end() ? std::string_view{} : found->value;
}

History History::slice(std::size_t first, std::size_t count) const {
    return {
        .items = items.subspan(first, count),
        .weights = part(weights, first, count),
        .types = part(types, first, count),
        .values = part(values, first, count),
        .times = part(times, first, count),
        .propensities = part(propensities, first, count),
        .sessions = part(sessions, first, count),
        .attributes = attributes,
    };
}

History History::head(std::size_t count) const {
    return slice(0, std::min(count, size()));
}

History History::tail(std::size_t count) const {
    const auto kept = std::min(count, size());
    return slice(size() - kept, kept);
}

void HistoryBuffer::add(const Event& event) {
    items_.push_back(event.item);
    weights_.push_back(event.weight);
    types_.push_back(event.type);
    values_.push_back(event.value);
    times_.push_back(event.time);
}

void HistoryBuffer::clear() {
    items_.clear();
    weights_.clear();
    types_.clear();
    values_.clear();
    times_.clear();
    attributes_ = {};
}

History HistoryBuffer::view() const noexcept {
    return {
        .items = items_,
        .weights = weights_,
        .types = types_,
        .values = values_,
        .times = times_,
        .propensities = {},
        .attributes = attributes_,
    };
}

}  // namespace hg::data
