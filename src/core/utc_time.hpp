// SPDX-License-Identifier: Apache-2.0
// utc_time: the moment as people and manifests write it.
#pragma once

#include <string>

namespace hg {

/// "2024-06-07T12:34:56Z", of the system clock.
[[nodiscard]] std::string utc_now();

}  // namespace hg
