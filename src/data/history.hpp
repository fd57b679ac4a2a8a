// SPDX-License-Identifier: Apache-2.0
// History: the events of one user up to a moment, oldest first. A user *is* a history.
//
// Every model scores a history, so a user never seen in training is served like any other. A
// History is a set of parallel borrowed columns (a slice of an InteractionLog, or of a
// HistoryBuffer built from a request); columns a caller does not have may be empty, `items` never
// is shorter than the others.
//
//   HistoryBuffer buffer;  buffer.add(item);  model.score(std::array{buffer.view()}, out);
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace hg::data {

/// In place of the number of a session that was not recorded.
constexpr std::uint32_t no_session = std::numeric_limits<std::uint32_t>::max();

/// One thing known of a user: {"gender", "F"}.
struct Attribute {
    std::string_view name;
    std::string_view value;
};

struct History {
    std::span<const ItemId> items;
    std::span<const float> weights;  // strength of preference, > 0 liked, <= 0 not; empty = all 1
    std::span<const EventTypeId> types;  // empty = all of the default type
    std::span<const float> values;       // rating, price, dwell; NaN = none; empty = none at all
    std::span<const TimeMs> times;       // empty = unknown
    /// Of being shown by us; NaN = not shown by us; empty = unknown.
    std::span<const float> propensities;
    std::span<const std::uint32_t> sessions{};  // same number = same visit; empty = unknown
    std::span<const Attribute> attributes{};    // of the user; empty = nothing is known

    [[nodiscard]] std::size_t size() const noexcept { return items.size(); }

    [[nodiscard]] bool empty() const noexcept { return items.empty(); }

    [[nodiscard]] float weight(std::size_t index) const noexcept {
        return weights.empty() ? 1.0F : weights[index];
    }

    /// The value of that attribute; empty where it is not known.
    [[nodiscard]] std::string_view attribute(std::string_view name) const noexcept;

    /// Events [first, first + count).
    [[nodiscard]] History slice(std::size_t first, std::size_t count) const;

    /// The first `count` events (all, if there are fewer).
    [[nodiscard]] History head(std::size_t count) const;
    /// The last `count` events (all, if there are fewer).
    [[nodiscard]] History tail(std::size_t count) const;
};

[[nodiscard]] inline bool holds(std::span<const ItemId> items, ItemId item) {
    return std::ranges::find(items, item) != items.end();
}

/// Owns the columns of a history.
class HistoryBuffer {
  public:
    struct Event {
        ItemId item;
        float weight = 1.0F;
        EventTypeId type{};
        float value = 0.0F;
        TimeMs time = 0;
    };

    void add(ItemId item) { add(Event{.item = item}); }

    void add(const Event& event);
    void clear();

    /// Of the user whose events these are; borrowed.
    void set_attributes(std::span<const Attribute> attributes) noexcept {
        attributes_ = attributes;
    }

    /// Valid until the next add() or clear().
    [[nodiscard]] History view() const noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

  private:
    std::vector<ItemId> items_;
    std::vector<float> weights_;
    std::vector<EventTypeId> types_;
    std::vector<float> values_;
    std::vector<TimeMs> times_;
    std::span<const Attribute> attributes_;
};

}  // namespace hg::data
