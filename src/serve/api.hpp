// SPDX-License-Identifier: Apache-2.0
// api: the route table of the server: each route with its documentation and its handler.
//
// To add a route: one entry here; OpenAPI, metrics, access and the 404 and 405 answers follow from
// it.
#pragma once

#include "serve/engine.hpp"
#include "serve/http/router.hpp"
#include "serve/metrics.hpp"
#include "serve/user_ids.hpp"

#include <atomic>
#include <functional>
#include <vector>

namespace hg::serve {

/// What handlers use; outlives the routes.
struct ApiContext {
    Engine& engine;
    Metrics& metrics;
    const UserIds& users;
    std::function<void()> refresh_metrics;               // before /metrics is written
    std::function<void(const std::string& run)> reload;  // throws Error
    const std::atomic<bool>& is_ready;
};

[[nodiscard]] std::vector<Route> api_routes(const ApiContext& context);

/// The page and its files; open, because they hold no data.
[[nodiscard]] std::vector<Route> page_routes();

}  // namespace hg::serve
