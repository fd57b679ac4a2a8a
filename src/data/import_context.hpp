// SPDX-License-Identifier: Apache-2.0
// ImportContext: what the files of one folder tell each other, and what was left out on purpose.
//
// A shop's orders name products by SKU or by title, its catalogue by a handle: the catalogue is
// learned first, so that an order finds the product it means. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace hg::data {

class ImportContext {
  public:
    /// `kind` keeps SKUs and titles apart; the first product of a name keeps it.
    void add_alias(std::string_view kind, std::string_view alias, std::string_view item) {
        items_.emplace(item);
        if (!alias.empty()) {
            aliases_.emplace(key(kind, alias), item);
        }
    }

    [[nodiscard]] std::optional<std::string_view> find_item(
        std::string_view kind, std::string_view alias
    ) const {
        const auto found = alias.empty() ? aliases_.end() : aliases_.find(key(kind, alias));
        if (found == aliases_.end()) {
            return std::nullopt;
        }
        return found->second;
    }

    /// Whether a catalogue has been learned that holds the item.
    [[nodiscard]] bool has_item(std::string_view item) const {
        return items_.contains(std::string{item});
    }

    /// Counts a row that is fine but of no use: "order was cancelled".
    void leave_out(std::string_view reason) { ++left_out_[std::string{reason}]; }

    [[nodiscard]] const std::map<std::string, std::size_t>& left_out() const noexcept {
        return left_out_;
    }

  private:
    [[nodiscard]] static std::string key(std::string_view kind, std::string_view alias) {
        std::string key{kind};
        key += '\x1f';
        key += alias;
        return key;
    }

    std::unordered_map<std::string, std::string> aliases_;
    std::unordered_set<std::string> items_;
    std::map<std::string, std::size_t> left_out_;
};

}  // namespace hg::data
