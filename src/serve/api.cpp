// SPDX-License-Identifier: Apache-2.0
#include "serve/api.hpp"

#include "serve/http/json_body.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace hg::serve {
namespace {

using nlohmann::json;

constexpr std::int64_t max_list_length = 1000;
constexpr std::int64_t max_user_events = 1'000'000;

void answer(const Reply& reply, const Result<json>& result) {
    reply(result ? json_response(200, *result) : error_response(result.error()));
}

/// Answers {"status": word} when the write is durable.
std::function<void(Result<void>)> answer_when_done(const Reply& reply, const char* word) {
    return [reply, word](const Result<void>& done) {
        reply(done ? json_response(200, {{"status", word}}) : error_response(done.error()));
    };
}

/// The {id} of the path, checked as an id of a body is.
Result<std::string> path_id(const RouteRequest& request) {
    return id_of(request.path.at("id"), "the id");
}

/// The user of the path, as stored.
Result<std::string> path_user(const RouteRequest& request, const UserIds& users) {
    HG_TRY(const auto id, path_id(request));
    return users.stored(id);
}

/// Handles a request about the user of the path: act(request, id, reply).
template <typename Act>
auto user_handler(const UserIds& users, Act act) {
    return [&users, act](const RouteRequest& request, const Reply& reply) {
        const auto id = path_user(request, users);
        if (!id) {
            return reply(error_response(id.error()));
        }
        act(request, *id, reply);
    };
}

Result<std::size_t> list_length(const RouteRequest& request, std::int64_t fallback) {
    HG_TRY(const auto k, request.target.number("k", fallback, 1, max_list_length));
    return static_cast<std::size_t>(k);
}

/// Handles a list: answers rows(request, k) with k from ?k= or the fallback.
template <typename Rows>
auto list_handler(std::int64_t fallback, Rows rows) {
    return [fallback, rows](const RouteRequest& request, const Reply& reply) {
        const auto k = list_length(request, fallback);
        if (!k) {
            return reply(error_response(k.error()));
        }
        answer(reply, rows(request, *k));
    };
}

/// Answers a write about the thing of that id: change(id, parse(body), reply).
template <typename Parse, typename Change>
void write(
    const Result<std::string>& id,
    const RouteRequest& request,
    const Reply& reply,
    Parse parse,
    Change change
) {
    if (!id) {
        return reply(error_response(id.error()));
    }
    auto body = parse(request.http.body);
    if (!body) {
        return reply(error_response(body.error()));
    }
    change(*id, std::move(*body), reply);
}

/// Handles a write about the {id} of the path.
template <typename Parse, typename Change>
auto write_handler(Parse parse, Change change) {
    return [parse, change](const RouteRequest& request, const Reply& reply) {
        write(path_id(request), request, reply, parse, change);
    };
}

/// Handles a write about the user of the path.
template <typename Parse, typename Change>
auto user_write_handler(const UserIds& users, Parse parse, Change change) {
    return [&users, parse, change](const RouteRequest& request, const Reply& reply) {
        write(path_user(request, users), request, reply, parse, change);
    };
}

Result<RecommendRequest> recommend_request(const std::string& body, const UserIds& users) {
    HG_TRY(auto wish, parse_recommend(body));
    HG_TRY(wish.user_id, users.stored(wish.user_id));
    HG_TRY(wish.fields, users.stored_fields(std::move(wish.fields)));
    return wish;
}

Result<data::NewEvent> with_stored_user(Result<data::NewEvent> event, const UserIds& users) {
    if (event) {
        HG_TRY(event->user_id, users.stored(event->user_id));
    }
    return event;
}

std::vector<Route> recommend_routes(Engine& engine, const UserIds& users) {
    return {
        {
            .method = Method::post,
            .pattern = "/v1/recommend",
            .doc =
                {.summary = "A slate for a user or a history",
                 .request = "RecommendRequest",
                 .response = "Recommendation"},
            .handle =
                [&engine, &users](const RouteRequest& request, const Reply& reply) {
                    const auto wish = recommend_request(request.http.body, users);
                    if (!wish) {
                        return reply(error_response(wish.error()));
                    }
                    auto slate = engine.recommend(*wish);
                    reply(
                        slate ? HttpResponse{.body = std::move(*slate)}
                              : error_response(slate.error())
                    );
                },
        },
        {
            .method = Method::post,
            .pattern = "/v1/events",
            .doc =
                {.summary = "What users did; answered row by row once it is durable",
                 .request = "EventBatch",
                 .response = "EventResults"},
            .handle =
                [&engine, &users](const RouteRequest& request, const Reply& reply) {
                    auto rows = parse_events(request.http.body);
                    if (!rows) {
                        return reply(error_response(rows.error()));
                    }
                    for (auto& row : *rows) {
                        row.event = with_stored_user(std::move(row.event), users);
                    }
                    engine.append(std::move(*rows), [reply](const Result<json>& results) {
                        answer(reply, results);
                    });
                },
        },
    };
}

std::vector<Route> item_routes(Engine& engine) {
    return {
        {
            .method = Method::get,
            .pattern = "/v1/items/{id}",
            .doc = {.summary = "One item", .response = "Item"},
            .handle = [&engine](
                          const RouteRequest& request, const Reply& reply
                      ) { answer(reply, engine.item(request.path.at("id"))); },
        },
        {
            .method = Method::put,
            .pattern = "/v1/items/{id}",
            .doc =
                {.summary = "Creates or replaces an item; it can be shown at once",
                 .request = "Fields",
                 .response = "Stored"},
            .handle = write_handler(
                parse_fields,
                [&engine](const std::string& id, json fields, const Reply& reply) {
                    engine.put_item(id, std::move(fields), answer_when_done(reply, "stored"));
                }
            ),
        },
        {
            .method = Method::patch,
            .pattern = "/v1/items/{id}",
            .doc =
                {.summary = "Changes some fields of an item; null removes one",
                 .request = "Fields",
                 .response = "Stored"},
            .handle = write_handler(
                parse_fields,
                [&engine](const std::string& id, const json& fields, const Reply& reply) {
                    engine.patch_item(id, fields, answer_when_done(reply, "stored"));
                }
            ),
        },
        {
            .method = Method::del,
            .pattern = "/v1/items/{id}",
            .doc =
                {.summary = "Takes an item out of every slate; its events stay",
                 .response = "Stored"},
            .handle =
                [&engine](const RouteRequest& request, const Reply& reply) {
                    engine.delete_item(request.path.at("id"), answer_when_done(reply, "deleted"));
                },
        },
        {
            .method = Method::get,
            .pattern = "/v1/items/{id}/similar",
            .doc =
                {.summary = "Items like this one",
                 .response = "ItemList",
                 .query = {{"k", "how many"}}},
            .handle = list_handler(
                10,
                [&engine](const RouteRequest& request, std::size_t k) {
                    return engine.similar(request.path.at("id"), k);
                }
            ),
        },
        {
            .method = Method::get,
            .pattern = "/v1/popular",
            .doc =
                {.summary = "Items with most events",
                 .response = "ItemList",
                 .query = {{"k", "how many"}}},
            .handle = list_handler(
                10,
                [&engine](const RouteRequest& /*request*/, std::size_t k) {
                    return engine.popular(k);
                }
            ),
        },
        {
            .method = Method::get,
            .pattern = "/v1/onboarding",
            .doc =
                {.summary = "Items to ask a newcomer for: known and liked?",
                 .response = "ItemList",
                 .query = {{"k", "how many, 50 at most"}}},
            .handle = list_handler(
                10,
                [&engine](const RouteRequest& /*request*/, std::size_t k) {
                    return engine.onboarding(k);
                }
            ),
        },
        {
            .method = Method::get,
            .pattern = "/v1/latest",
            .doc =
                {.summary = "Items that came last",
                 .response = "ItemList",
                 .query = {{"k", "how many"}}},
            .handle = list_handler(
                10,
                [&engine](const RouteRequest& /*request*/, std::size_t k) {
                    return engine.latest(k);
                }
            ),
        },
    };
}

std::vector<Route> user_routes(Engine& engine, const UserIds& users) {
    return {
        {
            .method = Method::get,
            .pattern = "/v1/users",
            .doc = {.summary = "Some users of the dataset", .query = {{"k", "how many"}}},
            .handle = list_handler(
                20,
                [&engine](const RouteRequest& /*request*/, std::size_t k) {
                    return engine.sample_users(k);
                }
            ),
        },
        {
            .method = Method::get,
            .pattern = "/v1/users/{id}",
            .doc =
                {.summary = "A user: fields, last events received, history, belief, knobs in force",
                 .response = "User",
                 .query = {{"events", "how many of the last events"}}},
            .handle = user_handler(
                users,
                [&engine](const RouteRequest& request, const std::string& id, const Reply& reply) {
                    const auto n = request.target.number("events", 20, 0, max_user_events);
                    if (!n) {
                        return reply(error_response(n.error()));
                    }
                    answer(reply, engine.user(id, static_cast<std::size_t>(*n)));
                }
            ),
        },
        {
            .method = Method::put,
            .pattern = "/v1/users/{id}",
            .doc =
                {.summary = "Creates or replaces a user's fields",
                 .request = "Fields",
                 .response = "Stored"},
            .handle = user_write_handler(
                users,
                parse_fields,
                [&engine, &users](const std::string& id, const json& fields, const Reply& reply) {
                    const auto safe = users.stored_fields(fields);
                    if (!safe) {
                        return reply(error_response(safe.error()));
                    }
                    engine.put_user(id, *safe, answer_when_done(reply, "stored"));
                }
            ),
        },
        {
            .method = Method::del,
            .pattern = "/v1/users/{id}",
            .doc =
                {.summary = "Erases a user: fields, events, impressions, belief, settings",
                 .response = "Stored"},
            .handle = user_handler(
                users,
                [&engine](
                    const RouteRequest& /*request*/, const std::string& id, const Reply& reply
                ) { engine.delete_user(id, answer_when_done(reply, "erased")); }
            ),
        },
    };
}

std::vector<Route> settings_routes(Engine& engine, const UserIds& users) {
    return {
        {
            .method = Method::put,
            .pattern = "/v1/users/{id}/knobs",
            .doc =
                {.summary = "Sets knobs of this user by hand; those left out stay with the policy",
                 .request = "Knobs",
                 .response = "Stored"},
            .handle = user_write_handler(
                users,
                parse_knobs,
                [&engine](const std::string& id, const KnobEdits& edits, const Reply& reply) {
                    engine.put_knobs(id, edits, answer_when_done(reply, "stored"));
                }
            ),
        },
        {
            .method = Method::del,
            .pattern = "/v1/users/{id}/knobs",
            .doc = {.summary = "Gives the knobs back to the policy", .response = "Stored"},
            .handle = user_handler(
                users,
                [&engine](
                    const RouteRequest& /*request*/, const std::string& id, const Reply& reply
                ) { engine.put_knobs(id, {}, answer_when_done(reply, "reset")); }
            ),
        },
        {
            .method = Method::put,
            .pattern = "/v1/users/{id}/traits",
            .doc =
                {.summary = "Wishes of this user, all of them: more of one trait, less of another",
                 .request = "Wishes",
                 .response = "Stored"},
            .handle = user_write_handler(
                users,
                parse_wishes,
                [&engine](
                    const std::string& id, std::vector<TraitWish> wishes, const Reply& reply
                ) { engine.put_wishes(id, std::move(wishes), answer_when_done(reply, "stored")); }
            ),
        },
        {
            .method = Method::del,
            .pattern = "/v1/users/{id}/traits",
            .doc = {.summary = "Takes the wishes back", .response = "Stored"},
            .handle = user_handler(
                users,
                [&engine](
                    const RouteRequest& /*request*/, const std::string& id, const Reply& reply
                ) { engine.put_wishes(id, {}, answer_when_done(reply, "reset")); }
            ),
        },
        {
            .method = Method::del,
            .pattern = "/v1/users/{id}/events/{event}",
            .doc =
                {.summary = "Forgets one event, as if it had not happened; \"dataset:N\" is one of "
                            "the dataset",
                 .response = "Stored"},
            .handle = user_handler(
                users,
                [&engine](const RouteRequest& request, const std::string& id, const Reply& reply) {
                    engine.forget_event(
                        id, request.path.at("event"), answer_when_done(reply, "forgotten")
                    );
                }
            ),
        },
    };
}

std::vector<Route> system_routes(const ApiContext& context) {
    return {
        {
            .method = Method::get,
            .pattern = "/health/live",
            .access = Access::open,
            .doc = {.summary = "200 while the process runs", .response = "Stored"},
            .handle = [](const RouteRequest& /*request*/,
                         const Reply& reply) { reply(json_response(200, {{"status", "live"}})); },
        },
        {
            .method = Method::get,
            .pattern = "/health/ready",
            .access = Access::open,
            .doc =
                {.summary = "200 while requests are answered, 503 while starting or stopping",
                 .response = "Stored"},
            .handle =
                [&is_ready =
                     context.is_ready](const RouteRequest& /*request*/, const Reply& reply) {
                    if (is_ready) {
                        return reply(json_response(200, {{"status", "ready"}}));
                    }
                    reply(error_response(
                        Error{ErrorCode::unavailable, "the server is stopping", "ask another one"}
                    ));
                },
        },
        {
            .method = Method::get,
            .pattern = "/v1/status",
            .doc =
                {.summary = "The model with its manifest, the policy, counts", .response = "Status"
                },
            .handle = [&engine = context.engine](
                          const RouteRequest& /*request*/, const Reply& reply
                      ) { answer(reply, engine.status()); },
        },
        {
            .method = Method::post,
            .pattern = "/v1/admin/reload",
            .doc =
                {.summary =
                     "Serves another run from the next request on; on an error the old one stays",
                 .request = "ReloadRequest",
                 .response = "Stored"},
            .handle =
                [reload = context.reload](const RouteRequest& request, const Reply& reply) {
                    const auto body = parse_object(request.http.body);
                    if (!body) {
                        return reply(error_response(body.error()));
                    }
                    constexpr std::size_t max_path = 4096;
                    const auto run = read_id(*body, "run", "", max_path);
                    if (!run) {
                        return reply(error_response(run.error()));
                    }
                    reload(*run);
                    reply(json_response(200, {{"status", "serving"}}));
                },
        },
        {
            .method = Method::get,
            .pattern = "/metrics",
            .doc = {.summary = "Figures for Prometheus", .content_type = "text/plain"},
            .handle =
                [&metrics = context.metrics, refresh = context.refresh_metrics](
                    const RouteRequest& /*request*/, const Reply& reply
                ) {
                    refresh();
                    reply(
                        {.status = 200,
                         .body = metrics.text(),
                         .content_type = "text/plain; version=0.0.4"}
                    );
                },
        },
    };
}

void add(std::vector<Route>& routes, std::vector<Route> more) {
    for (auto& route : more) {
        routes.push_back(std::move(route));
    }
}

}  // namespace

std::vector<Route> api_routes(const ApiContext& context) {
    std::vector<Route> routes;
    add(routes, recommend_routes(context.engine, context.users));
    add(routes, item_routes(context.engine));
    add(routes, user_routes(context.engine, context.users));
    add(routes, settings_routes(context.engine, context.users));
    add(routes, system_routes(context));
    auto document = std::make_shared<std::string>();
    routes.push_back({
        .method = Method::get,
        .pattern = "/openapi.json",
        .access = Access::open,
        .doc = {.summary = "This document"},
        .handle = [document](
                      const RouteRequest& /*request*/, const Reply& reply
                  ) { reply({.status = 200, .body = *document}); },
    });
    *document = dump(openapi_document(routes, HG_VERSION));
    return routes;
}

}  // namespace hg::serve
