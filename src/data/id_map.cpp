// SPDX-License-Identifier: Apache-2.0
#include "data/id_map.hpp"

#include "core/error.hpp"

#include <limits>

namespace hg::data {

std::uint32_t IdMap::intern(std::string_view name) {
    if (const auto known = find(name)) {
        return *known;
    }
    HG_CHECK(names_.size() < std::numeric_limits<std::uint32_t>::max(), "more than 2^32 ids");
    const auto id = static_cast<std::uint32_t>(names_.size());
    names_.emplace_back(name);
    index_.emplace(names_.back(), id);
    return id;
}

std::optional<std::uint32_t> IdMap::find(std::string_view name) const {
    const auto found = index_.find(name);
    if (found == index_.end()) {
        return std::nullopt;
    }
    return found->second;
}

}  // namespace hg::data
