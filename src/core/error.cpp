// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"

#include <fmt/format.h>

namespace hg {

std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument:
            return "invalid_argument";
        case ErrorCode::not_found:
            return "not_found";
        case ErrorCode::corrupt:
            return "corrupt";
        case ErrorCode::conflict:
            return "conflict";
        case ErrorCode::exhausted:
            return "exhausted";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::interrupted:
            return "interrupted";
        case ErrorCode::internal:
            return "internal";
    }
    return "internal";
}

int exit_code(ErrorCode code) noexcept {
    constexpr int usage = 2;
    constexpr int stopped_by_sigint = 130;
    if (code == ErrorCode::invalid_argument) {
        return usage;
    }
    if (code == ErrorCode::interrupted) {
        return stopped_by_sigint;
    }
    return 1;
}

Error::Error(ErrorCode code, std::string message, std::string hint)
    : std::runtime_error(hint.empty() ? message : message + "; " + hint),
      code_(code),
      message_(std::move(message)),
      hint_(std::move(hint)) {}

void check_failed(const char* condition, std::string_view message, std::source_location where) {
    throw std::logic_error(fmt::format(
        "{}:{}: check failed: {} ({}); this is a bug in honeyguide, please report it",
        where.file_name(),
        where.line(),
        message,
        condition
    ));
}

}  // namespace hg
