// SPDX-License-Identifier: Apache-2.0
#include "data/column_names.hpp"

#include <algorithm>
#include <array>

namespace hg::data {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 14> user_names{
    "userid",
    "user",
    "uid",
    "customerid",
    "customer",
    "visitorid",
    "reviewerid",
    "memberid",
    "accountid",
    "profileid",
    "personid",
    "viewerid",
    "clientid",
    "username",
};
constexpr std::array<std::string_view, 26> item_names{
    "itemid",    "item",     "iid",     "movieid", "productid",  "product",    "articleid",
    "stockcode", "sku",      "asin",    "bookid",  "songid",     "trackid",    "artistid",
    "videoid",   "courseid", "newsid",  "adid",    "contentid",  "clothingid", "businessid",
    "gameid",    "isbn",     "venueid", "movie",   "parentasin",
};
constexpr std::array<std::string_view, 8> value_names{
    "rating",
    "value",
    "score",
    "ratings",
    "stars",
    "overall",
    "reviewrating",
    "userrating",
};
constexpr std::array<std::string_view, 9> event_names{
    "event",
    "eventtype",
    "type",
    "action",
    "actiontype",
    "behavior",
    "interactiontype",
    "interaction",
    "feedbacktype",
};
constexpr std::array<std::string_view, 13> time_names{
    "timestamp",
    "time",
    "datetime",
    "date",
    "ts",
    "unixreviewtime",
    "eventtime",
    "createdat",
    "ratedat",
    "visittime",
    "watchedat",
    "invoicedate",
    "unixtime",
};
constexpr std::array<std::string_view, 3> propensity_names{
    "propensity", "propensityscore", "pscore"
};
constexpr std::array<std::string_view, 4> session_names{"sessionid", "session", "visitid", "visit"};

}  // namespace

std::string_view to_string(Role role) noexcept {
    switch (role) {
        case Role::user:
            return "user";
        case Role::item:
            return "item";
        case Role::value:
            return "value";
        case Role::event:
            return "event";
        case Role::time:
            return "time";
        case Role::propensity:
            return "propensity";
        case Role::session:
            return "session";
    }
    return "user";
}

std::span<const std::string_view> aliases(Role role) noexcept {
    switch (role) {
        case Role::user:
            return user_names;
        case Role::item:
            return item_names;
        case Role::value:
            return value_names;
        case Role::event:
            return event_names;
        case Role::time:
            return time_names;
        case Role::propensity:
            return propensity_names;
        case Role::session:
            return session_names;
    }
    return {};
}

std::optional<std::size_t> find_column(std::span<const std::string> columns, Role role) {
    for (const auto alias : aliases(role)) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (plain_name(columns[i]) == alias) {
                return i;
            }
        }
    }
    return std::nullopt;
}

std::string plain_name(std::string_view column) {
    std::string plain;
    for (const char c : split_typed_name(column).name) {
        if (c == ' ' || c == '_' || c == '-' || c == '.') {
            continue;
        }
        plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return plain;
}

TypedName split_typed_name(std::string_view column) noexcept {
    constexpr std::array<std::string_view, 4> types{"token", "token_seq", "float", "float_seq"};
    const auto colon = column.rfind(':');
    if (colon == std::string_view::npos) {
        return {column, {}};
    }
    const auto type = column.substr(colon + 1);
    if (std::ranges::find(types, type) == types.end()) {
        return {column, {}};
    }
    return {column.substr(0, colon), type};
}

}  // namespace hg::data
