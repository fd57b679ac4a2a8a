// SPDX-License-Identifier: Apache-2.0
// ItemVectors: what encode makes of a catalogue: one row per item, a mask of what is missing.
//
// Stored in DATASET/vectors/ENCODER/vectors.safetensors. Row i belongs to ItemId{i}.
#pragma once

#include "core/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hg::encode {

struct ItemVectors {
    std::string encoder{};                // name of the content model that made them
    Matrix<float> vectors{};              // [n_items, d]; the row of an item without content is 0
    std::vector<std::uint8_t> present{};  // [n_items], 1 = the item had content to encode
    std::vector<std::string> parts{};     // what was fused ("text", "fields"); empty = one part
    Matrix<std::uint8_t> part_present{};  // [n_items, parts.size()], 1 = that part was there

    [[nodiscard]] std::size_t n_items() const noexcept { return vectors.rows(); }

    [[nodiscard]] std::size_t dim() const noexcept { return vectors.cols(); }
};

}  // namespace hg::encode
