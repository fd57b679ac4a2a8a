// SPDX-License-Identifier: Apache-2.0
// serve: dataset + run + database -> a server that runs until it is told to stop.
//
//   const ServeOptions options{.run = "runs/blend", .data = "movies", .db = "events.db"};
//   serve(options, progress, stop);
#pragma once

#include "core/progress.hpp"
#include "policy/knobs.hpp"
#include "policy/plackett_luce.hpp"
#include "serve/collection.hpp"
#include "serve/http/http_server.hpp"
#include "serve/retrieval.hpp"
#include "serve/session.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::serve {

/// What becomes of a learned policy that the gate has not promoted.
enum class UnjudgedPolicy : std::uint8_t { held, serves };

struct ServeOptions {
    std::filesystem::path run;
    /// Serve where no gate has promoted `run`: the first that was promoted itself, or the last; empty: `run` serves without a gate.
    std::vector<std::filesystem::path> fallbacks{};
    std::filesystem::path data;
    std::filesystem::path db;
    HttpServerOptions http{};
    std::vector<std::string> api_keys{};  // needed for any address but loopback
    double requests_per_second = 0;       // per key; 0 = no limit
    policy::PlackettLuceOptions policy{};
    SessionOptions sessions{};
    policy::Knobs knobs{};                // where no learned policy chooses them
    std::filesystem::path knob_policy{};  // a run of learn that does, where the gate promoted it
    UnjudgedPolicy unjudged = UnjudgedPolicy::held;
    CollectionOptions collection{};
    RetrievalOptions retrieval{.index = IndexChoice::automatic};
    std::function<void(const std::string& url)> on_listening{};
};

/// Throws Error. Returns after a stop request: requests in flight are answered, the store is
/// committed.
void serve(const ServeOptions& options, ProgressSink& progress, const std::stop_token& stop);

}  // namespace hg::serve
