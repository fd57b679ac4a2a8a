// SPDX-License-Identifier: Apache-2.0
#include "data/attributes.hpp"

#include <string_view>
#include <unordered_map>

namespace hg::data {
namespace {

bool is_attribute(const Field& field) {
    return field.kind == FieldKind::category || field.kind == FieldKind::categories ||
           field.kind == FieldKind::number;
}

}  // namespace

Attributes::Attributes(std::vector<std::pair<std::string, std::string>> texts)
    : texts_(std::move(texts)) {
    for (const auto& [name, value] : texts_) {
        views_.push_back({name, value});
    }
}

Attributes& Attributes::operator=(const Attributes& other) {
    *this = Attributes{other};
    return *this;
}

AttributeTable::AttributeTable(const Catalogue& users) {
    std::unordered_map<std::string_view, std::string_view> known;
    const auto keep = [&](std::string text) {
        if (const auto found = known.find(text); found != known.end()) {
            return found->second;
        }
        const std::string_view kept = texts_.emplace_back(std::move(text));
        known.emplace(kept, kept);
        return kept;
    };
    offsets_.push_back(0);
    for (std::size_t row = 0; row < users.n_rows(); ++row) {
        for (const auto& field : users.fields()) {
            if (is_attribute(field) && field.present[row] != 0) {
                attributes_.push_back({keep(field.name), keep(field.text(row))});
            }
        }
        offsets_.push_back(attributes_.size());
    }
}

std::span<const Attribute> AttributeTable::of(UserId user) const noexcept {
    if (user.index() + 1 >= offsets_.size()) {
        return {};
    }
    const auto first = offsets_[user.index()];
    return std::span{attributes_}.subspan(first, offsets_[user.index() + 1] - first);
}

}  // namespace hg::data
