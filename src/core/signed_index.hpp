// SPDX-License-Identifier: Apache-2.0
// index: a place or a size as Eigen counts, signed: Eigen::Index, without Eigen.
#pragma once

#include <cstddef>

namespace hg {

[[nodiscard]] constexpr std::ptrdiff_t index(std::size_t value) noexcept {
    return static_cast<std::ptrdiff_t>(value);
}

}  // namespace hg
