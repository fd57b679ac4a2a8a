// SPDX-License-Identifier: Apache-2.0
// TableKind: the three tables a dataset is made of.
#pragma once

#include <cstdint>
#include <string_view>

namespace hg::data {

enum class TableKind : std::uint8_t { interactions, items, users };

[[nodiscard]] constexpr std::string_view to_string(TableKind kind) noexcept {
    switch (kind) {
        case TableKind::interactions:
            return "interactions";
        case TableKind::items:
            return "items";
        case TableKind::users:
            return "users";
    }
    return "interactions";
}

}  // namespace hg::data
