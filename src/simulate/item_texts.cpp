// SPDX-License-Identifier: Apache-2.0
#include "simulate/item_texts.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace hg::simulate {

ItemTexts::ItemTexts(MatrixView<const float> rows, std::vector<std::string> texts)
    : rows_(rows.rows(), rows.cols()), texts_(std::move(texts)) {
    HG_CHECK(rows.rows() == texts_.size(), "a text for every row");
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        std::ranges::copy(rows.row(i), rows_.row(i).begin());
        if (!texts_[i].empty()) {
            by_numbers_.try_emplace(key_of(rows_.row(i)), i);
        }
    }
}

std::optional<std::string_view> ItemTexts::find(std::span<const float> item) const {
    if (item.size() < rows_.cols()) {
        return std::nullopt;
    }
    const auto known = by_numbers_.find(key_of(item));
    return known == by_numbers_.end() ? std::nullopt
                                      : std::optional<std::string_view>{texts_[known->second]};
}

void ItemTexts::save(SafetensorsWriter& out) const {
    out.add("rows", rows_.view());
    out.add_strings("texts", texts_);
}

ItemTexts ItemTexts::load(const SafetensorsFile& file) {
    const auto rows = value_or_throw(file.matrix<float>("rows"));
    const auto texts = value_or_throw(file.strings("texts"));
    if (rows.rows() != texts.size()) {
        throw Error{
            ErrorCode::corrupt,
            "item_texts.safetensors: not a text for every row",
            "learn the run again"
        };
    }
    return ItemTexts{rows, {texts.begin(), texts.end()}};
}

std::string ItemTexts::key_of(std::span<const float> item) const {
    std::vector<float> numbers(
        item.begin(), item.begin() + static_cast<std::ptrdiff_t>(rows_.cols())
    );
    for (float& number : numbers) {
        number += 0.0F;  // -0 is 0
    }
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

}  // namespace hg::simulate
