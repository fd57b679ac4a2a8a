// SPDX-License-Identifier: Apache-2.0
#include "serve/http/http_status.hpp"

namespace hg::serve {

unsigned http_status(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument:
            return 400;
        case ErrorCode::not_found:
            return 404;
        case ErrorCode::conflict:
            return 409;
        case ErrorCode::exhausted:
            return 507;
        case ErrorCode::unavailable:
        case ErrorCode::interrupted:
            return 503;
        case ErrorCode::corrupt:
        case ErrorCode::internal:
            return 500;
    }
    return 500;
}

}  // namespace hg::serve
