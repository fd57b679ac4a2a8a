// SPDX-License-Identifier: Apache-2.0
// honeyguide serve: a run, a dataset and a database of events behind HTTP.
#include "serve/serve.hpp"

#include "app/command.hpp"
#include "core/file.hpp"
#include "serve/http/guard.hpp"
#include "train/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>

namespace hg::app {
namespace {

struct ServeArguments {
    serve::ServeOptions options;
    std::string key_file;
    int port = 8080;
    unsigned threads = 0;
    bool is_unjudged = false;
    std::string index = "auto";
    std::string item_table = "float";
};

const std::map<std::string, serve::IndexChoice> index_choices{
    {"auto", serve::IndexChoice::automatic},
    {"exact", serve::IndexChoice::exact},
    {"hnsw", serve::IndexChoice::hnsw},
};

const std::map<std::string, serve::ItemPrecision> item_tables{
    {"float", serve::ItemPrecision::float32},
    {"int8", serve::ItemPrecision::int8},
};

std::vector<std::string> read_keys(const std::string& key_file) {
    std::vector<std::string> keys;
    if (const char* key = std::getenv("HG_API_KEY"); key != nullptr) {
        keys = serve::parse_keys(key);
    }
    if (key_file.empty()) {
        return keys;
    }
    auto from_file = serve::parse_keys(value_or_throw(read_file(key_file)));
    if (from_file.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: holds no key", key_file),
            "write one a line; for example: openssl rand -hex 32",
        };
    }
    keys.insert(keys.end(), from_file.begin(), from_file.end());
    return keys;
}

int run_serve(ServeArguments& arguments, Session& session) {
    auto& options = arguments.options;
    options.http.port = static_cast<std::uint16_t>(arguments.port);
    options.http.threads = arguments.threads > 0
                               ? arguments.threads
                               : std::max(2U, std::thread::hardware_concurrency());
    if (arguments.is_unjudged) {
        options.unjudged = serve::UnjudgedPolicy::serves;
    }
    options.retrieval.index = index_choices.at(arguments.index);
    options.retrieval.precision = item_tables.at(arguments.item_table);
    options.api_keys = read_keys(arguments.key_file);
    options.on_listening = [](const std::string& url) {
        // From here on requests are the parallel work: a second thread for one of them would take
        // its core from another, and wait there spinning.
        train::set_threads(1);
        fmt::print("listening on {}\n", url);
        std::fflush(stdout);
    };
    serve::serve(options, session.progress, session.stop);
    return 0;
}

Run declare_serve(CLI::App& verb) {
    auto arguments = std::make_shared<ServeArguments>();
    auto& options = arguments->options;
    verb.add_option("--run", options.run, "folder of the run to serve")->required();
    verb.add_option("--data", options.data, "folder of the dataset it was trained on")->required();
    verb.add_option(
        "--fallback",
        options.fallbacks,
        "run that serves where no gate has promoted --run (one of popularity, say); given again, "
        "the first that was promoted, or else the last; without it --run serves unasked"
    );
    verb.add_option("--db", options.db, "file of the event database; created when absent")
        ->required();
    verb.add_option("--port", arguments->port, "0 picks a free one")
        ->capture_default_str()
        ->check(CLI::Range(0, 65535));
    verb.add_option("--host", options.http.host, "address to bind; other than loopback needs a key")
        ->capture_default_str();
    verb.add_option("--api-key-file", arguments->key_file, "one key a line; or set HG_API_KEY");
    verb.add_option("--threads", arguments->threads, "request threads; 0 = one per core")
        ->capture_default_str();
    verb.add_option(
            "--rate", options.requests_per_second, "requests a second per key; 0 = no limit"
    )
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    verb.add_option("--max-connections", options.http.max_connections, "more get 503")
        ->capture_default_str();
    verb.add_option("--sessions", options.sessions.max_sessions, "users kept in memory")
        ->capture_default_str();
    verb.add_option(
            "--scored-sessions",
            options.sessions.max_scored,
            "of these users with candidates and belief, most of the memory; the others are scored "
            "again"
    )
        ->capture_default_str();
    verb.add_option(
            "--index",
            arguments->index,
            "how the best items are found: exact = all are scored, hnsw = those an index proposes, "
            "auto = above 50,000 items hnsw where it is faster"
    )
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "exact", "hnsw"}));
    verb.add_option(
            "--item-table",
            arguments->item_table,
            "form in which all items are read: int8 = a quarter of the memory traffic, same answers"
    )
        ->capture_default_str()
        ->check(CLI::IsMember({"float", "int8"}));
    verb.add_option("--epsilon", options.policy.epsilon, "share of uniform exploration in a slate")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1.0));
    verb.add_option(
            "--temperature",
            options.policy.temperature,
            "softmax temperature of a slate; 0 = greedy"
    )
        ->capture_default_str()
        ->check(CLI::Range(0.0, 100.0));
    verb.add_option(
            "--candidates", options.policy.max_candidates, "slates are drawn from the best M"
    )
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    verb.add_option(
        "--policy",
        options.knob_policy,
        "run of learn that chooses each user's knobs, where the gate promoted it; else the "
        "constants "
        "below do"
    );
    verb.add_flag(
        "--policy-without-gate",
        arguments->is_unjudged,
        "let --policy serve although no gate has promoted it"
    );
    const CLI::Range either{-policy::max_knob, policy::max_knob};
    verb.add_option(
            "--exploration", options.knobs.exploration, "weight of the belief's uncertainty"
    )
        ->capture_default_str()
        ->check(either);
    verb.add_option("--novelty", options.knobs.novelty, "weight of being little known")
        ->capture_default_str()
        ->check(either);
    verb.add_option("--content", options.knobs.content, "weight of content like what was liked")
        ->capture_default_str()
        ->check(either);
    verb.add_option(
            "--diversity", options.knobs.diversity, "weight of being unlike the items above"
    )
        ->capture_default_str()
        ->check(CLI::Range(0.0, policy::max_knob));
    verb.add_option(
            "--collect",
            options.policy.random_share,
            "data collection: share of slots drawn from a wider pool, .01 to .05; 0 = off"
    )
        ->capture_default_str()
        ->check(CLI::Range(0.0, 0.05));
    verb.add_option(
            "--collect-from", options.policy.random_candidates, "data collection: size of that pool"
    )
        ->capture_default_str()
        ->check(CLI::Range(1, 2000));
    verb.add_option(
        "--collect-for",
        options.collection.gate_record,
        "record of a gate that held: how long until its question is decided"
    );
    return [arguments](Session& session) { return run_serve(*arguments, session); };
}

}  // namespace

extern const CommandEntry serve{
    .name = "serve",
    .summary = "answer recommendations over HTTP and learn from every event",
    .example = "honeyguide serve --run runs/blend --data movies --db events.db --port 8080",
    .declare = &declare_serve,
};

}  // namespace hg::app
