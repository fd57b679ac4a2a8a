// SPDX-License-Identifier: Apache-2.0
#include "core/utc_time.hpp"

#include "core/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace hg {

std::string utc_now() {
    const auto seconds = static_cast<std::time_t>(SystemClock{}.now() / 1000);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(seconds));
}

}  // namespace hg
