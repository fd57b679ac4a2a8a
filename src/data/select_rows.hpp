// SPDX-License-Identifier: Apache-2.0
// select_rows: the catalogue of some rows of another, in the order given.
//
//   data.item_fields = select_rows(data.item_fields, kept);
#pragma once

#include "data/catalogue.hpp"

#include <cstdint>
#include <span>

namespace hg::data {

[[nodiscard]] Catalogue select_rows(
    const Catalogue& catalogue, std::span<const std::uint32_t> rows
);

}  // namespace hg::data
