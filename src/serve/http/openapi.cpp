// SPDX-License-Identifier: Apache-2.0
// The OpenAPI document, written from the route table: what is served is what is described.
#include "serve/http/router.hpp"
#include "serve/http/schemas.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace hg::serve {
namespace {

nlohmann::json reference(const std::string& schema) {
    return {{"$ref", "#/components/schemas/" + schema}};
}

nlohmann::json parameters_of(const Route& route) {
    auto parameters = nlohmann::json::array();
    for (std::size_t open = route.pattern.find('{'); open != std::string::npos;
         open = route.pattern.find('{', open + 1)) {
        const auto close = route.pattern.find('}', open);
        parameters.push_back({
            {"name", route.pattern.substr(open + 1, close - open - 1)},
            {"in", "path"},
            {"required", true},
            {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 256}}},
        });
    }
    for (const auto& parameter : route.doc.query) {
        parameters.push_back({
            {"name", parameter.name},
            {"in", "query"},
            {"required", false},
            {"description", parameter.summary},
            {"schema", {{"type", "integer"}}},
        });
    }
    return parameters;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) {
        return static_cast<char>(std::tolower(c));
    });
    return out;
}

nlohmann::json operation_of(const Route& route) {
    nlohmann::json schema =
        route.doc.response.empty() ? nlohmann::json::object() : reference(route.doc.response);
    nlohmann::json operation{
        {"summary", route.doc.summary},
        {"parameters", parameters_of(route)},
        {"responses",
         {{"200",
           {{"description", "done"}, {"content", {{route.doc.content_type, {{"schema", schema}}}}}}
          },
          {"default",
           {{"description", "what went wrong and what to do next"},
            {"content", {{"application/json", {{"schema", reference("Error")}}}}}}}}},
    };
    if (!route.doc.request.empty()) {
        operation["requestBody"] = {
            {"required", true},
            {"content", {{"application/json", {{"schema", reference(route.doc.request)}}}}},
        };
    }
    if (route.access == Access::open) {
        operation["security"] = nlohmann::json::array();
    }
    return operation;
}

}  // namespace

nlohmann::json openapi_document(const std::vector<Route>& routes, std::string_view version) {
    nlohmann::json paths = nlohmann::json::object();
    for (const auto& route : routes) {
        paths[route.pattern][lower(to_string(route.method))] = operation_of(route);
    }
    return {
        {"openapi", "3.0.3"},
        {"info",
         {{"title", "honeyguide"},
          {"version", version},
          {"description",
           "Recommendations that adapt with every event. docs/formats/http.md says more."},
          {"license", {{"name", "Apache-2.0"}}}}},
        {"security",
         nlohmann::json::array(
             {{{"bearer", nlohmann::json::array()}}, {{"header", nlohmann::json::array()}}}
         )},
        {"paths", std::move(paths)},
        {"components",
         {{"securitySchemes",
           {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
            {"header", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}}},
          {"schemas", schemas()}}},
    };
}

}  // namespace hg::serve
