// SPDX-License-Identifier: Apache-2.0
// ItemTexts: what items are in words, by their numbers.
//
// A policy sees items as numbers only; two items of equal numbers are one to it. So a text belongs
// to a row of numbers, and is found again wherever the same numbers are seen: in a world, in
// another one learned from its log, in the log itself. Immutable; const-safe.
//
//   const ItemTexts texts{rows.view(), {"Toy Story. Animation", ...}};
//   texts.find(observation.items.row(3));      // "Toy Story. Animation"
#pragma once

#include "core/matrix.hpp"
#include "core/safetensors.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::simulate {

class ItemTexts {
  public:
    /// One text per row; an empty text is none.
    ItemTexts(MatrixView<const float> rows, std::vector<std::string> texts);

    /// Numbers beyond the width of the rows are not looked at: a world may add some that change.
    [[nodiscard]] std::optional<std::string_view> find(std::span<const float> item) const;

    [[nodiscard]] std::size_t size() const noexcept { return by_numbers_.size(); }

    void save(SafetensorsWriter& out) const;
    /// Throws Error{corrupt}.
    [[nodiscard]] static ItemTexts load(const SafetensorsFile& file);

  private:
    [[nodiscard]] std::string key_of(std::span<const float> item) const;

    Matrix<float> rows_;
    std::vector<std::string> texts_;
    std::unordered_map<std::string, std::size_t> by_numbers_;
};

}  // namespace hg::simulate
