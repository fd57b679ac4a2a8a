// SPDX-License-Identifier: Apache-2.0
// explain_text: how a folder would be read, for people (data/explain.hpp).
#pragma once

#include "data/explain.hpp"

#include <string>

namespace hg::app {

[[nodiscard]] std::string explain_text(const data::Explanation& told);

}  // namespace hg::app
