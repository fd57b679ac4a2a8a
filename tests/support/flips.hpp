// SPDX-License-Identifier: Apache-2.0
// Damage for tests of readers: a random bit flipped.
#pragma once

#include "core/rng.hpp"

#include <string>

namespace hg::testing_support {

[[nodiscard]] inline std::string with_a_flipped_bit(std::string bytes, Rng& rng) {
    const auto at = rng.below(bytes.size());
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << rng.below(8)));
    return bytes;
}

}  // namespace hg::testing_support
