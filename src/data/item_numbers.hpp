// SPDX-License-Identifier: Apache-2.0
// item_numbers: the numbers that item ids of an impression log are: "17", or "3:17" for the third of
// fresh candidates, of kind 17, as the recorder of a world writes them. Agents that know a world's
// items then recognise them.
#pragma once

#include "data/id_map.hpp"

#include <cstdint>
#include <vector>

namespace hg::data {

struct ItemNumbers {
    std::vector<std::uint32_t> numbers;  // by item; the log's own where not all ids are numbers
    bool are_kinds = false;              // "3:17"
};

[[nodiscard]] ItemNumbers item_numbers(const IdMap& items);

}  // namespace hg::data
