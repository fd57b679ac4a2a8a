// SPDX-License-Identifier: Apache-2.0
#include "serve/http/message.hpp"

#include "serve/http/http_status.hpp"

namespace hg::serve {

std::string_view to_string(Method method) noexcept {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::head:
            return "HEAD";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::del:
            return "DELETE";
        case Method::other:
            return "OTHER";
    }
    return "OTHER";
}

std::string dump(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

HttpResponse json_response(unsigned status, const nlohmann::json& body) {
    return {.status = status, .body = dump(body)};
}

HttpResponse error_response(const Error& error) {
    // What broke inside is for the log; the client learns only that it was not its fault.
    const bool is_internal = error.code() == ErrorCode::internal;
    auto response = error_response(
        http_status(error.code()),
        to_string(error.code()),
        is_internal ? "the server failed to answer this request" : error.message(),
        is_internal ? "the log of the server says more" : error.hint()
    );
    if (response.status == 503 || response.status == 507) {
        response.headers.emplace_back("Retry-After", "1");
    }
    return response;
}

HttpResponse error_response(
    unsigned status, std::string_view code, std::string_view message, std::string_view hint
) {
    return json_response(status, {{"code", code}, {"message", message}, {"hint", hint}});
}

}  // namespace hg::serve
