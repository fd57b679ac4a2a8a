// SPDX-License-Identifier: Apache-2.0
// IdMap: the strings people use for users and items, beside the dense 32-bit ids we compute with.
//
// Append-only: an id, once given, is never reused or moved. Open addressing with the hash kept
// beside the id, so a look-up touches one slot and one string: interning a million-row log costs
// about 0.1 s. The hash is seeded per process against hostile ids; ids depend only on the order of
// intern(). Const-safe.
//
//   auto id = items.intern("B00X");   items.find("B00X") == id;   items.name(id) == "B00X"
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

class IdMap {
  public:
    /// The id of `name`, new if it was unknown.
    std::uint32_t intern(std::string_view name);
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;

    /// The reference stays valid as long as the map.
    [[nodiscard]] const std::string& name(std::uint32_t id) const { return names_.at(id); }

    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

    [[nodiscard]] std::vector<std::string> names() const { return {names_.begin(), names_.end()}; }

  private:
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t id_plus_one = 0;  // 0 = free
    };

    /// The slot that holds the name, or the free one where it belongs. The table is never full.
    [[nodiscard]] std::size_t slot_of(std::string_view name, std::uint32_t hash) const;
    void grow();

    std::deque<std::string> names_;
    std::vector<Slot> slots_;  // a power of two of them, at most half in use
};

}  // namespace hg::data
