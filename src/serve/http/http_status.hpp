// SPDX-License-Identifier: Apache-2.0
// http_status: the one place where a kind of error becomes an HTTP status.
#pragma once

#include "core/error.hpp"

namespace hg::serve {

[[nodiscard]] unsigned http_status(ErrorCode code) noexcept;

}  // namespace hg::serve
