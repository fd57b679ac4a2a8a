// SPDX-License-Identifier: Apache-2.0
// Strong ids: a user cannot be passed where an item is meant.
//
// Dense 32-bit indices into a dataset's tables; append-only, never reused. The strings people use
// for the same things live beside them in data/id_map.hpp.
//
//   ItemId item{7};  matrix.row(item.value);
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace hg {

template <typename Tag>
struct Id {
    std::uint32_t value = 0;

    [[nodiscard]] constexpr std::size_t index() const noexcept { return value; }

    friend constexpr auto operator<=>(Id, Id) noexcept = default;
};

using ItemId = Id<struct ItemTag>;
using UserId = Id<struct UserTag>;
/// Index into a dataset's table of event types ("click", "purchase", ...).
using EventTypeId = Id<struct EventTypeTag>;

}  // namespace hg

template <typename Tag>
struct std::hash<hg::Id<Tag>> {
    std::size_t operator()(hg::Id<Tag> id) const noexcept {
        return std::hash<std::uint32_t>{}(id.value);
    }
};
