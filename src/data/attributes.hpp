// SPDX-License-Identifier: Apache-2.0
// Attributes: what is known of a user beside events: gender, country, age. The x_u of u = f(x_u, behaviour).
//
// A History borrows them, so a model that learned a prior per segment starts a user of that segment
// from it, offline and in the server alike. Values are texts as a person writes them; a number is
// written as short as it can be. Free texts and links are not attributes.
//
//   AttributeTable table{dataset.user_fields};     table.of(UserId{3}) -> [{"gender", "F"}, ...]
#pragma once

#include "core/ids.hpp"
#include "data/catalogue.hpp"
#include "data/history.hpp"

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace hg::data {

/// Attributes that own their texts: of one user, from a request or a store.
class Attributes {
  public:
    Attributes() = default;
    explicit Attributes(std::vector<std::pair<std::string, std::string>> texts);

    Attributes(const Attributes& other) : Attributes(other.texts_) {}

    Attributes& operator=(const Attributes& other);
    Attributes(Attributes&&) = default;
    Attributes& operator=(Attributes&&) = default;
    ~Attributes() = default;

    [[nodiscard]] std::span<const Attribute> view() const noexcept { return views_; }

  private:
    std::vector<std::pair<std::string, std::string>> texts_;
    std::vector<Attribute> views_;  // of texts_, whose elements keep their place when moved
};

/// The attributes of every user of a dataset; a text that many users share is kept once.
class AttributeTable {
  public:
    explicit AttributeTable(const Catalogue& users);
    AttributeTable(const AttributeTable&) = delete;
    AttributeTable& operator=(const AttributeTable&) = delete;
    AttributeTable(AttributeTable&&) = default;
    AttributeTable& operator=(AttributeTable&&) = default;
    ~AttributeTable() = default;

    /// Borrowed; empty for a user past the last row.
    [[nodiscard]] std::span<const Attribute> of(UserId user) const noexcept;

  private:
    std::deque<std::string> texts_;
    std::vector<Attribute> attributes_;
    std::vector<std::size_t> offsets_;  // [n_users + 1]
};

}  // namespace hg::data
