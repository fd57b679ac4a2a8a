// SPDX-License-Identifier: Apache-2.0
#include "serve/serve.hpp"

#include "core/clock.hpp"
#include "core/log.hpp"
#include "data/dataset.hpp"
#include "data/pseudonyms.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "serve/admission.hpp"
#include "serve/api.hpp"
#include "serve/engine.hpp"
#include "serve/http/guard.hpp"
#include "serve/metrics.hpp"
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

/// Everything a running server holds, in the order of its construction.
class Service {
  public:
    Service(const ServeOptions& options, ProgressSink& progress, const std::stop_token& stop)
        : options_(options),
          admission_(options),
          users_(value_or_throw(data::load_pseudonyms(options.data))),
          store_({.file = options.db}),
          engine_(
              {.policy = options.policy,
               .sessions = options.sessions,
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
        engine_.publish(source_of(admission_.first(), false), progress, stop);
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
                    SilentProgress silent;
                    engine_.publish(source_of(run, engine_.is_led()), silent, {});
                },
            .is_ready = is_ready_,
        });
        for (auto& route : page_routes()) {
            all.push_back(std::move(route));
        }
        return all;
    }

    [[nodiscard]] SnapshotSource source_of(const std::filesystem::path& run, bool is_led) const {
        return {
            .run = run,
            .data = options_.data,
            .retrieval = options_.retrieval,
            .admit = [this, run, is_led](const train::LoadedRun& loaded
                     ) { return admission_.admit(run, loaded, is_led); },
        };
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
    Admission admission_;
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
