// SPDX-License-Identifier: Apache-2.0
#include "serve/http/router.hpp"

#include "core/clock.hpp"
#include "core/log.hpp"

#include <fmt/format.h>

#include <exception>
#include <memory>

namespace hg::serve {
namespace {

HttpResponse answer_to_exception(const std::exception& error) {
    if (const auto* known = dynamic_cast<const Error*>(&error)) {
        if (known->code() == ErrorCode::internal) {
            log::error("request failed", {{"what", known->message()}});
        }
        return error_response(*known);
    }
    log::error("request failed", {{"what", std::string_view{error.what()}}});
    return error_response(Error{ErrorCode::internal, error.what()});
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
    for (const auto& route : routes_) {
        Compiled pattern;
        pattern.segments = value_or_throw(parse_target(route.pattern)).segments;
        for (auto& segment : pattern.segments) {
            const bool is_parameter = segment.starts_with('{');
            if (is_parameter) {
                segment = segment.substr(1, segment.size() - 2);
            }
            pattern.is_parameter.push_back(is_parameter);
        }
        compiled_.push_back(std::move(pattern));
    }
}

bool Router::matches(const Compiled& pattern, const std::vector<std::string>& segments) {
    if (pattern.segments.size() != segments.size()) {
        return false;
    }
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (pattern.is_parameter[i] ? segments[i].empty() : pattern.segments[i] != segments[i]) {
            return false;
        }
    }
    return true;
}

Router::Found Router::find(Method method, const std::vector<std::string>& segments) const {
    Found found;
    const auto wanted = method == Method::head ? Method::get : method;
    for (std::size_t r = 0; r < routes_.size(); ++r) {
        if (!matches(compiled_[r], segments)) {
            continue;
        }
        if (routes_[r].method != wanted) {
            found.allowed += found.allowed.empty() ? "" : ", ";
            found.allowed += to_string(routes_[r].method);
            continue;
        }
        found.route = &routes_[r];
        for (std::size_t i = 0; i < segments.size(); ++i) {
            if (compiled_[r].is_parameter[i]) {
                found.path[compiled_[r].segments[i]] = segments[i];
            }
        }
        break;
    }
    return found;
}

void Router::dispatch(HttpRequest request, const Reply& reply) const {
    const Stopwatch watch;
    auto target = parse_target(request.target);
    if (!target) {
        return reply(error_response(target.error()));
    }
    auto found = find(request.method, target->segments);
    if (found.route == nullptr) {
        if (found.allowed.empty()) {
            return reply(error_response(
                404,
                "not_found",
                "there is nothing at this address",
                "GET /openapi.json lists what there is"
            ));
        }
        auto response = error_response(
            405,
            "method_not_allowed",
            fmt::format("this address does not take {}", to_string(request.method)),
            fmt::format("it takes {}", found.allowed)
        );
        response.headers.emplace_back("Allow", found.allowed);
        return reply(std::move(response));
    }
    const auto& route = *found.route;
    const Reply observed = [this, &route, watch, reply](HttpResponse response) {
        if (observe_) {
            observe_(route.pattern, response.status, watch.seconds());
        }
        reply(std::move(response));
    };
    if (check_ && !check_(request, route, observed)) {
        return;
    }
    const RouteRequest context{std::move(request), std::move(*target), std::move(found.path)};
    try {
        route.handle(context, observed);
    } catch (const std::exception& error) {
        observed(answer_to_exception(error));
    }
}

}  // namespace hg::serve
