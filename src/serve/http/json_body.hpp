// SPDX-License-Identifier: Apache-2.0
// json_body: foreign bytes -> JSON that the rest may trust to be shallow UTF-8, and checked fields
// of it.
#pragma once

#include "core/error.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace hg::serve {

constexpr std::size_t max_id_bytes = 256;

/// Refuses what is no JSON object, not UTF-8, nested deeper than 32, or has numbers out of range.
[[nodiscard]] Result<nlohmann::json> parse_object(std::string_view body);

/// Refuses keys that are not in the list: a slip would be lost in silence otherwise.
[[nodiscard]] Result<void> check_keys(
    const nlohmann::json& object,
    std::initializer_list<std::string_view> known,
    std::string_view where
);

/// 1 to max_bytes bytes of text without control characters; whole numbers are taken as their
/// digits.
[[nodiscard]] Result<std::string> read_id(
    const nlohmann::json& object,
    const char* key,
    std::string_view where,
    std::size_t max_bytes = max_id_bytes
);
[[nodiscard]] Result<std::string> id_of(
    const nlohmann::json& value, std::string_view where, std::size_t max_bytes = max_id_bytes
);

/// Absent and null are nothing.
[[nodiscard]] Result<std::optional<double>> read_number(
    const nlohmann::json& object, const char* key, std::string_view where
);
[[nodiscard]] Result<std::optional<std::int64_t>> read_integer(
    const nlohmann::json& object,
    const char* key,
    std::string_view where,
    std::int64_t min,
    std::int64_t max
);

}  // namespace hg::serve
