// SPDX-License-Identifier: Apache-2.0
#include "data/item_numbers.hpp"

#include <charconv>
#include <numeric>
#include <string_view>
#include <utility>

namespace hg::data {

ItemNumbers item_numbers(const IdMap& items) {
    ItemNumbers found;
    for (const auto& name : items.names()) {
        const auto colon = name.find(':');
        const bool is_kind = colon != std::string::npos;
        const auto digits = std::string_view{name}.substr(is_kind ? colon + 1 : 0);
        std::uint32_t number = 0;
        const auto end = digits.data() + digits.size();
        const auto parsed = std::from_chars(digits.data(), end, number);
        constexpr std::uint32_t most = 1U << 30U;
        if (parsed.ec != std::errc{} || parsed.ptr != end || number >= most) {
            found.numbers.resize(items.size());
            std::iota(found.numbers.begin(), found.numbers.end(), 0U);
            return {.numbers = std::move(found.numbers), .are_kinds = false};
        }
        found.numbers.push_back(number);
        found.are_kinds = found.are_kinds || is_kind;
    }
    return found;
}

}  // namespace hg::data
