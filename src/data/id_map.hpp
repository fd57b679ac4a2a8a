// SPDX-License-Identifier: Apache-2.0
// IdMap: the strings people use for users and items, beside the dense 32-bit ids we compute with.
//
// Append-only: an id, once given, is never reused or moved. Const-safe.
//
//   auto id = items.intern("B00X");   items.find("B00X") == id;   items.name(id) == "B00X"
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::data {

class IdMap {
  public:
    /// The id of `name`, new if it was unknown.
    std::uint32_t intern(std::string_view name);
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;

    [[nodiscard]] const std::string& name(std::uint32_t id) const { return names_.at(id); }

    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

    [[nodiscard]] std::vector<std::string> names() const { return {names_.begin(), names_.end()}; }

  private:
    std::deque<std::string> names_;  // a deque never moves its strings, so the index may view them
    std::unordered_map<std::string_view, std::uint32_t> index_;
};

}  // namespace hg::data
