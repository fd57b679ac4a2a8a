// SPDX-License-Identifier: Apache-2.0
// effort: how often a test repeats itself. `make test` does the usual number, `make torture` asks for more:
//
//   for (std::size_t seed = 0; seed < effort("HG_POWER_CUTS", 200); ++seed) { ... }
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>

namespace hg::testing_support {

[[nodiscard]] inline std::size_t effort(const char* variable, std::size_t usual) {
    const char* asked = std::getenv(variable);
    return asked == nullptr ? usual : std::stoul(asked);
}

}  // namespace hg::testing_support
