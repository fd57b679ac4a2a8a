// SPDX-License-Identifier: Apache-2.0
// InteractionLog: who did what to which item, as columns sorted by (user, time, file order).
//
// Columns are borrowed from one shared storage (vectors, or a mapped file), so a log is cheap to
// copy and a user's History is a slice of it without copying. Immutable; const-safe.
//
//   for (std::uint32_t u = 0; u < log.n_users(); ++u) { use(log.history(UserId{u})); }
#pragma once

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "data/history.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

namespace hg::data {

/// One event, for building a log; `weight` is the strength of preference given by dataset.toml.
struct Interaction {
    UserId user;
    ItemId item;
    EventTypeId type{};
    float weight = 1.0F;
    float value = std::numeric_limits<float>::quiet_NaN();
    TimeMs time = 0;
    float propensity = std::numeric_limits<float>::quiet_NaN();
    std::uint32_t session = no_session;
};

class AttributeTable;

/// The columns behind a log, each n_events long except user_offsets (n_users + 1) and, where no
/// event has one, sessions (0).
struct LogColumns {
    std::span<const std::int64_t> user_offsets;
    std::span<const ItemId> items;
    std::span<const EventTypeId> types;
    std::span<const float> weights;
    std::span<const float> values;
    std::span<const TimeMs> times;
    std::span<const float> propensities;
    std::span<const std::uint32_t> sessions{};
};

class InteractionLog {
  public:
    InteractionLog() = default;

    /// Sorts stably by (user, time): events with equal times keep the order given (file order).
    [[nodiscard]] static InteractionLog from_events(
        std::vector<Interaction> events, std::size_t n_users, std::size_t n_items
    );
    /// Wraps columns that `storage` keeps alive; they must already be sorted and valid.
    [[nodiscard]] static InteractionLog from_columns(
        const LogColumns& columns, std::size_t n_items, std::shared_ptr<const void> storage
    );

    [[nodiscard]] std::size_t n_users() const noexcept {
        return columns_.user_offsets.empty() ? 0 : columns_.user_offsets.size() - 1;
    }

    [[nodiscard]] std::size_t n_items() const noexcept { return n_items_; }

    /// [n_items]
    [[nodiscard]] std::vector<std::size_t> events_per_item() const;

    [[nodiscard]] std::size_t size() const noexcept { return columns_.items.size(); }

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }

    /// Histories will carry what is known of their users; parts made of this log by filter() too.
    void set_attributes(std::shared_ptr<const AttributeTable> attributes) noexcept;

    [[nodiscard]] History history(UserId user) const;
    /// Every user's history, index = UserId.
    [[nodiscard]] std::vector<History> histories() const;

    [[nodiscard]] const LogColumns& columns() const noexcept { return columns_; }

    /// A log of the events for which keep(user, index within the user's history) is true; ids
    /// unchanged.
    [[nodiscard]] InteractionLog filter(const std::function<bool(UserId, std::size_t)>& keep) const;

  private:
    LogColumns columns_;
    std::size_t n_items_ = 0;
    std::shared_ptr<const void> storage_;
    std::shared_ptr<const AttributeTable> attributes_;
};

}  // namespace hg::data
