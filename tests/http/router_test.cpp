// SPDX-License-Identifier: Apache-2.0
#include "serve/http/router.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

namespace hg::serve {
namespace {

HttpResponse ask(const Router& router, Method method, std::string target) {
    std::optional<HttpResponse> answer;
    router.dispatch(
        {.method = method, .target = std::move(target)},
        [&answer](HttpResponse response) { answer = std::move(response); }
    );
    return answer.value_or(HttpResponse{.status = 0});
}

Router make_router() {
    return Router{{
        {.method = Method::get,
         .pattern = "/v1/items/{id}",
         .doc = {.summary = "one"},
         .handle = [](const RouteRequest& request, const Reply& reply
                   ) { reply({.status = 200, .body = request.path.at("id")}); }},
        {.method = Method::put,
         .pattern = "/v1/items/{id}",
         .doc = {.summary = "put", .request = "Fields"},
         .handle = [](const RouteRequest&,
                      const Reply&) { throw Error{ErrorCode::conflict, "no", "yes"}; }},
        {.method = Method::get,
         .pattern = "/broken",
         .access = Access::open,
         .doc = {.summary = "broken"},
         .handle = [](const RouteRequest&,
                      const Reply&) { throw std::runtime_error{"secret detail"}; }},
    }};
}

TEST(Router, finds_the_route_and_decodes_the_parameter) {
    const auto router = make_router();
    EXPECT_EQ(ask(router, Method::get, "/v1/items/a%20b%2Fc?k=1").body, "a b/c");
}

TEST(Router, says_404_where_nothing_is_and_405_with_what_is_allowed) {
    const auto router = make_router();
    EXPECT_EQ(ask(router, Method::get, "/nowhere").status, 404U);
    EXPECT_EQ(ask(router, Method::get, "/v1/items/").status, 404U);
    const auto response = ask(router, Method::del, "/v1/items/x");
    EXPECT_EQ(response.status, 405U);
    EXPECT_EQ(response.headers.front().second, "GET, PUT");
}

TEST(Router, answers_head_as_get) {
    EXPECT_EQ(ask(make_router(), Method::head, "/v1/items/x").status, 200U);
}

TEST(Router, turns_errors_into_their_status_and_hides_what_broke_inside) {
    const auto router = make_router();
    EXPECT_EQ(ask(router, Method::put, "/v1/items/x").status, 409U);
    const auto broken = ask(router, Method::get, "/broken");
    EXPECT_EQ(broken.status, 500U);
    EXPECT_EQ(broken.body.find("secret"), std::string::npos);
}

TEST(Router, refuses_broken_addresses) {
    const auto router = make_router();
    EXPECT_EQ(ask(router, Method::get, "/v1/items/%zz").status, 400U);
    EXPECT_EQ(ask(router, Method::get, "/v1/items/%0a").status, 400U);
    EXPECT_EQ(ask(router, Method::get, "*").status, 400U);
    EXPECT_EQ(ask(router, Method::get, "").status, 400U);
    EXPECT_EQ(ask(router, Method::get, "/v1/items/%4").status, 400U);
}

TEST(Router, tells_the_observer_the_pattern_and_never_the_id) {
    auto router = make_router();
    std::string seen;
    router.set_observer([&seen](std::string_view route, unsigned status, double) {
        seen = std::string{route} + " " + std::to_string(status);
    });
    (void)ask(router, Method::get, "/v1/items/u-secret");
    EXPECT_EQ(seen, "/v1/items/{id} 200");
}

TEST(Router, a_check_may_answer_instead) {
    auto router = make_router();
    router.set_check([](const HttpRequest&, const Route& route, const Reply& reply) {
        if (route.access == Access::open) {
            return true;
        }
        reply({.status = 401});
        return false;
    });
    EXPECT_EQ(ask(router, Method::get, "/v1/items/x").status, 401U);
    EXPECT_EQ(ask(router, Method::get, "/broken").status, 500U);
}

TEST(OpenApi, has_every_route_with_its_parameters_and_only_known_schemas) {
    const auto router = make_router();
    const auto document = openapi_document(router.routes(), "1");

    for (const auto& route : router.routes()) {
        EXPECT_TRUE(document["paths"].contains(route.pattern));
    }
    const auto& get = document["paths"]["/v1/items/{id}"]["get"];
    EXPECT_EQ(get["parameters"][0]["name"], "id");
    EXPECT_FALSE(get.contains("security"));
    EXPECT_TRUE(document["paths"]["/broken"]["get"]["security"].empty());
    const auto text = document.dump();
    const std::string marker = "#/components/schemas/";
    for (auto at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) {
        const auto begin = at + marker.size();
        const auto name = text.substr(begin, text.find('"', begin) - begin);
        EXPECT_TRUE(document["components"]["schemas"].contains(name)) << name;
    }
}

TEST(Target, bytes_that_are_not_utf_8_are_refused) {
    EXPECT_EQ(parse_target("/v1/items/%E8%8C%B6")->segments.back(), "茶");
    EXPECT_FALSE(parse_target("/v1/items/%ff").has_value());
    EXPECT_FALSE(parse_target("/v1/items?q=%c3%28").has_value());
}

TEST(Target, numbers_outside_their_range_are_refused) {
    const auto target = parse_target("/x?k=5&bad=1x&big=99999999999999999999");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->number("k", 1, 1, 10), 5);
    EXPECT_EQ(target->number("absent", 3, 1, 10), 3);
    EXPECT_FALSE(target->number("k", 1, 1, 4));
    EXPECT_FALSE(target->number("bad", 1, 1, 4));
    EXPECT_FALSE(target->number("big", 1, 1, 4));
}

}  // namespace
}  // namespace hg::serve
