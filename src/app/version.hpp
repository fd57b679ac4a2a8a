// SPDX-License-Identifier: Apache-2.0
// The version of the program, set by CMake from the project() line.
#pragma once

#include <string_view>

namespace hg::app {

inline constexpr std::string_view version = HG_VERSION;

}  // namespace hg::app
