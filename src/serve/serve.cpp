// SPDX-License-Identifier: Apache-2.0
#include "serve/serve.hpp"

#include "core/clock.hpp"
#include "core/folder_name.hpp"
#include "core/log.hpp"
#include "core/weights_version.hpp"
#include "data/dataset.hpp"
#include "data/pseudonyms.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "policy/knob_actor.hpp"
#include "serve/api.hpp"
#include "serve/engine.hpp"
#include "serve/http/guard.hpp"
#include "serve/metrics.hpp"
#include "serve/promotion.hpp"
#include "serve/user_ids.hpp"

#include <fmt/format.h>

#include <atomic>
#include <memory>

namespace hg::serve {
namespace {

bool is_loopback_address(const std::string& host) {
    return host.starts_with("127.") || host == "::1";
}

void check_access(const ServeOptions& options) {
    if (is_loopback_address(options.http.host) || !options.api_keys.empty()) {
        return;
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("{} can be reached from other machines, and no key is set", options.http.host),
        "set HG_API_KEY or --api-key-file, or bind 127.0.0.1",
    };
}

/// Why no gate lets it serve; nothing where one did.
std::optional<std::string> why_run_is_held(const std::filesystem::path& run) {
    return why_held(run, weights_version(run), folder_name(run));
}

/// What serves, and why not the run that was asked for.
struct RunChoice {
    std::filesystem::path run;
    std::string note{};
};

RunChoice choose_run(const ServeOptions& options) {
    const auto why = options.fallback.empty() ? std::nullopt : why_run_is_held(options.run);
    if (!why) {
        return {.run = options.run};
    }
    log::warn(
        "THE FALLBACK SERVES",
        {{"run", options.run.string()},
         {"why", *why},
         {"instead", options.fallback.string()},
         {"next", "honeyguide gate --candidate RUN, then start again"}}
    );
    return {
        .run = options.fallback,
        .note = fmt::format("{} is held: {}", folder_name(options.run), *why),
    };
}

/// Who chooses the knobs of a server, and why not the policy that was asked for.
struct KnobChoice {
    std::shared_ptr<const policy::KnobPolicy> knobs;
    std::string note{};
};

KnobChoice choose_knobs(const ServeOptions& options, const std::filesystem::path& run) {
    auto constants = std::make_shared<policy::ConstantKnobs>(options.knobs);
    if (options.knob_policy.empty()) {
        return {.knobs = std::move(constants)};
    }
    auto actor = policy::KnobActor::load(options.knob_policy);
    const auto why = why_held(options.knob_policy, std::string{actor->version()}, folder_name(run));
    if (!why) {
        return {.knobs = std::move(actor)};
    }
    if (options.unjudged == UnjudgedPolicy::serves) {
        log::warn(
            "SERVING A POLICY THAT WAS NOT PROMOTED", {{"policy", actor->name()}, {"why", *why}}
        );
        return {.knobs = std::move(actor), .note = "serves although " + *why};
    }
    log::warn(
        "THE LEARNED POLICY DOES NOT SERVE",
        {{"policy", actor->name()},
         {"why", *why},
         {"instead", policy::to_text(options.knobs)},
         {"next", "honeyguide gate --knobs-by, or --policy-without-gate"}}
    );
    return {
        .knobs = std::move(constants),
        .note = fmt::format("{} is held: {}", actor->name(), *why),
    };
}

/// Everything a running server holds, in the order of its construction.
class Service {
  public:
    Service(const ServeOptions& options, ProgressSink& progress, const std::stop_token& stop)
        : options_(options),
          run_(choose_run(options)),
          choice_(choose_knobs(options, run_.run)),
          users_(value_or_throw(data::load_pseudonyms(options.data))),
          store_({.file = options.db}),
          engine_(
              {.policy = options.policy,
               .sessions = options.sessions,
               .knobs = choice_.knobs,
               .run_note = run_.note,
               .knobs_note = choice_.note,
               .collection = options.collection},
              std::make_shared<const data::Dataset>(value_or_throw(data::open_dataset(options.data))
              ),
              store_,
              clock_
          ),
          guard_({.keys = options.api_keys, .requests_per_second = options.requests_per_second}),
          router_(routes()),
          server_(options.http, [this](HttpRequest request, const Reply& reply) {
              router_.dispatch(std::move(request), reply);
          }) {
        engine_.publish(source_of(run_.run), progress, stop);
        router_.set_check(
            [this](const HttpRequest& request, const Route& route, const Reply& reply) {
                auto refusal = guard_.refuse(request, route.access, clock_.monotonic());
                if (!refusal) {
                    return true;
                }
                reply(std::move(*refusal));
                return false;
            }
        );
        router_.set_observer([this](std::string_view route, unsigned status, double seconds) {
            metrics_.observe(route, status, seconds);
        });
    }

    void run(const std::stop_token& stop) {
        is_ready_ = true;
        const std::stop_callback not_ready{stop, [this] { is_ready_ = false; }};
        if (options_.on_listening) {
            const bool is_v6 = options_.http.host.find(':') != std::string::npos;
            options_.on_listening(fmt::format(
                "http://{}{}{}:{}",
                is_v6 ? "[" : "",
                options_.http.host,
                is_v6 ? "]" : "",
                server_.port()
            ));
        }
        server_.run(stop);
        store_.flush();
    }

  private:
    std::vector<Route> routes() {
        auto all = api_routes({
            .engine = engine_,
            .metrics = metrics_,
            .users = users_,
            .refresh_metrics = [this] { refresh_metrics(); },
            .reload =
                [this](const std::string& run) {
                    check_reload(run);
                    SilentProgress silent;
                    engine_.publish(source_of(run), silent, {});
                },
            .is_ready = is_ready_,
        });
        for (auto& route : page_routes()) {
            all.push_back(std::move(route));
        }
        return all;
    }

    [[nodiscard]] SnapshotSource source_of(const std::filesystem::path& run) const {
        return {.run = run, .data = options_.data, .retrieval = options_.retrieval};
    }

    /// A policy that was promoted for one run does not go on with another; beside a fallback no run serves that
    /// was not promoted.
    void check_reload(const std::filesystem::path& run) const {
        const bool is_fallback = run.lexically_normal() == options_.fallback.lexically_normal();
        if (!options_.fallback.empty() && !is_fallback) {
            if (const auto why = why_run_is_held(run)) {
                throw Error{
                    ErrorCode::conflict,
                    fmt::format("{} may not serve: {}", folder_name(run), *why),
                    "judge it (honeyguide gate --candidate RUN), or start without --fallback"
                };
            }
        }
        const auto& knobs = *choice_.knobs;
        if (!knobs.reads_belief() || options_.unjudged == UnjudgedPolicy::serves) {
            return;
        }
        const auto why =
            why_held(options_.knob_policy, std::string{knobs.version()}, folder_name(run));
        if (why) {
            throw Error{
                ErrorCode::conflict,
                fmt::format("{} may not choose the knobs of this run: {}", knobs.name(), *why),
                "judge it with this run (honeyguide gate --knobs-by), or serve without --policy"
            };
        }
    }

    void refresh_metrics() {
        const auto& done = engine_.figures();
        const auto number = [](const std::atomic<std::uint64_t>& n) {
            return static_cast<double>(n.load());
        };
        metrics_.set(
            "recommendations", "Slates given since the start", number(done.recommendations)
        );
        metrics_.set(
            "candidates_reused", "Slates from cached scores", number(done.candidates_reused)
        );
        metrics_.set(
            "candidates_scored", "Slates that ran the model", number(done.candidates_scored)
        );
        metrics_.set("events_stored", "Events made durable", number(done.events_stored));
        metrics_.set("events_duplicate", "Events sent again", number(done.events_duplicate));
        metrics_.set(
            "events_conflict", "Events refused: their id is taken", number(done.events_conflict)
        );
        metrics_.set("events_invalid", "Events refused: malformed", number(done.events_invalid));
        metrics_.set("reloads", "Runs published", number(done.reloads));
        metrics_.set(
            "reloads_refused", "Runs refused; the old one stayed", number(done.reloads_refused)
        );
        metrics_.set("sessions", "Users in the cache", static_cast<double>(engine_.sessions()));
        metrics_.set("connections", "Open connections", static_cast<double>(server_.connections()));
        const auto commits = store_.figures();
        metrics_.set("commits", "Groups committed", static_cast<double>(commits.commits));
        metrics_.set("commit_jobs", "Writes in those groups", static_cast<double>(commits.jobs));
        metrics_.set(
            "commit_failures", "Writes that failed", static_cast<double>(commits.failures)
        );
        metrics_.set("commit_seconds", "Time spent in commits", commits.seconds);
        metrics_.set(
            "impressions_dropped",
            "Slates not logged",
            static_cast<double>(commits.dropped_impressions)
        );
    }

    const ServeOptions& options_;
    SystemClock clock_;
    RunChoice run_;
    KnobChoice choice_;
    UserIds users_;
    data::SqliteEventStore store_;
    Engine engine_;
    Metrics metrics_;
    Guard guard_;
    std::atomic<bool> is_ready_ = false;
    Router router_;
    HttpServer server_;
};

}  // namespace

void serve(const ServeOptions& options, ProgressSink& progress, const std::stop_token& stop) {
    check_access(options);
    Service service{options, progress, stop};
    service.run(stop);
    log::info("stopped");
}

}  // namespace hg::serve
