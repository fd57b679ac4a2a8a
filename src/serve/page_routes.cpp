// SPDX-License-Identifier: Apache-2.0
#include "serve/api.hpp"
#include "serve/assets.hpp"

namespace hg::serve {
namespace {

// Everything the page needs comes from this server: nothing else may be loaded, run or asked.
constexpr auto content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
    "'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

}  // namespace

std::vector<Route> page_routes() {
    std::vector<Route> routes;
    for (const auto& asset : assets()) {
        routes.push_back({
            .method = Method::get,
            .pattern = std::string{asset.path},
            .access = Access::open,
            .doc =
                {.summary = "A file of the web page",
                 .content_type = std::string{asset.content_type}},
            .handle =
                [&asset](const RouteRequest& /*request*/, const Reply& reply) {
                    reply({
                        .status = 200,
                        .body = std::string{asset.bytes},
                        .content_type = std::string{asset.content_type},
                        .headers =
                            {{"Content-Security-Policy", content_policy},
                             {"Cache-Control", "no-cache"}},
                    });
                },
        });
    }
    return routes;
}

}  // namespace hg::serve
