// SPDX-License-Identifier: Apache-2.0
// Router: the table of routes: from it requests find their handler, the OpenAPI document is written
// and the metrics get their labels. A route that is not said to be open needs a key (when the
// server has one).
//
//   Router router{{{Method::get, "/v1/items/{id}", Access::key, {.summary = "..."}, show_item}}};
//   router.dispatch(std::move(request), reply);
#pragma once

#include "serve/http/message.hpp"
#include "serve/http/target.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hg::serve {

enum class Access : std::uint8_t {
    open,  // health, the page and its files: no data of anyone
    key,
};

/// A request on its way to a handler. Shared: handlers that answer later keep it.
struct RouteRequest {
    HttpRequest http;
    Target target;
    std::map<std::string, std::string> path;  // {"id", "a b"}
};

using RouteHandler = std::function<void(const RouteRequest&, const Reply&)>;

struct QueryParameter {
    std::string name;
    std::string summary;
};

/// What the OpenAPI document says of a route. Schemas are names in schemas() (schemas.hpp).
struct RouteDoc {
    std::string summary;
    std::string request{};   // schema of the body, empty = none
    std::string response{};  // schema of a 200, empty = free
    std::vector<QueryParameter> query{};
    std::string content_type = "application/json";
};

struct Route {
    Method method = Method::get;
    std::string pattern;
    Access access = Access::key;
    RouteDoc doc;
    RouteHandler handle;
};

class Router {
  public:
    /// May answer instead of the handler (401, 403, 429).
    using Check = std::function<bool(const HttpRequest&, const Route&, const Reply&)>;
    /// Called when a reply is given: route pattern, status, seconds.
    using Observe = std::function<void(std::string_view route, unsigned status, double seconds)>;

    explicit Router(std::vector<Route> routes);

    void set_check(Check check) { check_ = std::move(check); }

    void set_observer(Observe observe) { observe_ = std::move(observe); }

    /// Answers 404 and 405 itself; turns exceptions of handlers into errors. Thread-safe once set
    /// up.
    void dispatch(HttpRequest request, const Reply& reply) const;

    [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

  private:
    struct Compiled {
        std::vector<std::string> segments;
        std::vector<bool> is_parameter;
    };

    struct Found {
        const Route* route = nullptr;
        std::map<std::string, std::string> path;
        std::string allowed;  // methods of the routes that match but for the method
    };

    [[nodiscard]] Found find(Method method, const std::vector<std::string>& segments) const;
    [[nodiscard]] static bool matches(
        const Compiled& pattern, const std::vector<std::string>& segments
    );

    std::vector<Route> routes_;
    std::vector<Compiled> compiled_;
    Check check_;
    Observe observe_;
};

/// The OpenAPI 3.0 document of a route table.
[[nodiscard]] nlohmann::json openapi_document(
    const std::vector<Route>& routes, std::string_view version
);

}  // namespace hg::serve
