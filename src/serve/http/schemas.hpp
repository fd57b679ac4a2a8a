// SPDX-License-Identifier: Apache-2.0
// schemas: the JSON schemas of the wire, by name, for the OpenAPI document.
#pragma once

#include <nlohmann/json.hpp>

namespace hg::serve {

[[nodiscard]] nlohmann::json schemas();

}  // namespace hg::serve
