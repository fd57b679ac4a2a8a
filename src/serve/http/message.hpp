// SPDX-License-Identifier: Apache-2.0
// HttpRequest and HttpResponse: what a handler sees and gives; no Beast type leaves connection.hpp.
//
//   reply(json_response(200, {{"ok", true}}));
//   reply(error_response(Error{ErrorCode::not_found, "no item \"x\"", "PUT it first"}));
#pragma once

#include "core/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::serve {

enum class Method : std::uint8_t { get, head, post, put, patch, del, other };

[[nodiscard]] std::string_view to_string(Method method) noexcept;

struct HttpRequest {
    Method method = Method::get;
    std::string target{};  // as sent: "/v1/items/a%20b?k=3"
    std::string body{};
    std::string host{};
    std::string origin{};
    std::string authorization{};
    std::string api_key{};  // the X-API-Key header
    std::string peer{};     // address of the client, without its port
};

struct HttpResponse {
    unsigned status = 200;
    std::string body{};
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{};
};

/// Called once, from any thread.
using Reply = std::function<void(HttpResponse)>;

[[nodiscard]] HttpResponse json_response(unsigned status, const nlohmann::json& body);

/// {code, message, hint} with the status of the code (http_status.hpp).
[[nodiscard]] HttpResponse error_response(const Error& error);
/// The same with a status that has no ErrorCode of its own (401, 403, 405, 413, 429, ...).
[[nodiscard]] HttpResponse error_response(
    unsigned status, std::string_view code, std::string_view message, std::string_view hint
);

/// As text; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string dump(const nlohmann::json& value);

}  // namespace hg::serve
