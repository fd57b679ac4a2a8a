// SPDX-License-Identifier: Apache-2.0
// honeyguide inspect impressions: what a server decided and what came of it, as a log.
#include "app/command.hpp"
#include "app/log_source.hpp"
#include "data/open_bandit.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>
#include <memory>
#include <string>

namespace hg::app::inspecting {
namespace {

struct InspectImpressionsArguments {
    LogSource source;
    std::string out;
    bool as_json = false;
};

void write_log(const data::ImpressionLog& log, const std::string& path) {
    std::ofstream out{path, std::ios::binary};
    if (!out) {
        throw Error{
            ErrorCode::unavailable, fmt::format("{}: cannot be written", path), "check the folder"
        };
    }
    if (path.ends_with(".csv")) {
        value_or_throw(data::write_open_bandit(log, out));
    } else {
        data::ImpressionWriter writer{out};
        for (std::size_t i = 0; i < log.size(); ++i) {
            writer.write(log.row(i));
        }
    }
    if (!out.flush()) {
        throw Error{
            ErrorCode::exhausted,
            fmt::format("{}: was not written whole", path),
            "is the disk full?"
        };
    }
}

/// Of one run with one policy.
struct Served {
    std::size_t n = 0;
    double reward = 0;
};

std::map<std::string, Served> by_policy(const data::ImpressionLog& log) {
    std::map<std::string, Served> policies;
    for (std::size_t i = 0; i < log.size(); ++i) {
        auto& one = policies[log.policies.name(log.policy[i])];
        ++one.n;
        one.reward += log.reward[i];
    }
    return policies;
}

int run_inspect_impressions(const InspectImpressionsArguments& arguments) {
    // Learning takes what off-policy evaluation refuses: everything is shown and written.
    const auto server = open_server_log(arguments.source, data::Purpose::learning);
    const auto& log = server.served.log;
    if (!arguments.out.empty()) {
        write_log(log, arguments.out);
    }
    const auto notes = notes_on(server, arguments.source);
    const auto policies = by_policy(log);
    if (arguments.as_json) {
        auto list = nlohmann::json::array();
        for (const auto& [name, served] : policies) {
            list.push_back(
                {{"policy", name},
                 {"decisions", served.n},
                 {"mean_reward", served.reward / static_cast<double>(served.n)}}
            );
        }
        const nlohmann::json answer{
            {"decisions", log.size()},
            {"users", log.users.size()},
            {"deterministic", server.served.counts.deterministic},
            {"policies", std::move(list)},
            {"notes", notes},
        };
        fmt::print("{}\n", answer.dump());
        return 0;
    }
    fmt::print(
        "{}: {} decisions for {} users\n", arguments.source.path, log.size(), log.users.size()
    );
    for (const auto& [name, served] : policies) {
        fmt::print(
            "  {:>9} decisions, mean reward {:.6f}: {}\n",
            served.n,
            served.reward / static_cast<double>(served.n),
            name
        );
    }
    for (const auto& note : notes) {
        fmt::print("note: {}\n", note);
    }
    return 0;
}

Run declare_inspect_impressions(CLI::App& verb) {
    auto arguments = std::make_shared<InspectImpressionsArguments>();
    verb.add_option("--db", arguments->source.path, "event database of honeyguide serve")
        ->required();
    declare_log_options(verb, arguments->source);
    verb.add_option(
        "--out", arguments->out, "write them: an impression log, or .csv in Open Bandit form"
    );
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& /*session*/) { return run_inspect_impressions(*arguments); };
}

}  // namespace

extern const CommandEntry impressions{
    .name = "impressions",
    .summary = "what a server decided, with propensities and rewards, as a log",
    .example =
        "honeyguide inspect impressions --db events.db --data datasets/movies --out log.jsonl",
    .declare = &declare_inspect_impressions,
};

}  // namespace hg::app::inspecting
