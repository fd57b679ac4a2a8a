// SPDX-License-Identifier: Apache-2.0
// Column names: which column of a stranger's table is the user, the item, the rating, the time.
//
// Names are compared without case, blanks, "_", "-" and "."; RecBole's "name:type" headers are
// split. The first alias of a role wins when several columns would fit. dataset.toml overrides all
// of it.
//
//   find_column(columns, Role::item)   // "movieId" -> its index
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hg::data {

enum class Role : std::uint8_t { user, item, value, event, time, propensity, session };

/// Every role, in the order of their numbers.
inline constexpr std::array all_roles{
    Role::user, Role::item, Role::value, Role::event, Role::time, Role::propensity, Role::session
};

[[nodiscard]] std::string_view to_string(Role role) noexcept;

/// The recognised spellings, best first.
[[nodiscard]] std::span<const std::string_view> aliases(Role role) noexcept;

/// The column that plays the role, by name; nothing if none does.
[[nodiscard]] std::optional<std::size_t> find_column(
    std::span<const std::string> columns, Role role
);

/// Lower case, without blanks, underscores, dashes and dots: "Movie Id" -> "movieid".
[[nodiscard]] std::string plain_name(std::string_view column);

/// "genre:token_seq" -> {"genre", "token_seq"}; the type is empty for other names.
struct TypedName {
    std::string_view name;
    std::string_view type;
};

[[nodiscard]] TypedName split_typed_name(std::string_view column) noexcept;

}  // namespace hg::data
