// SPDX-License-Identifier: Apache-2.0
// honeyguide iterate: act, learn a world, learn a policy, gate, act again, until a metric is
// reached.
#include "app/command.hpp"
#include "app/iteration.hpp"
#include "policy/learn.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <memory>

namespace hg::app {
namespace {

struct IterateArguments {
    IterationRequest request;
    std::string until;
    std::string out;
    RunOptions run;
};

/// "return>=8" -> metric, target.
void parse_until(const std::string& text, IterationRequest& request) {
    const auto sign = text.find(">=");
    std::size_t used = 0;
    if (sign != std::string::npos && sign > 0) {
        try {
            request.metric = text.substr(0, sign);
            request.target = std::stod(text.substr(sign + 2), &used);
        } catch (const std::exception&) {
            used = 0;
        }
    }
    if (used == 0 || sign + 2 + used != text.size()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--until {}: not METRIC>=NUMBER", text),
            "for example --until 'return>=8'"
        };
    }
}

int run_iterate(const IterateArguments& arguments, Session& session) {
    use_few_threads(session);
    auto request = arguments.request;
    parse_until(arguments.until, request);
    request.settings = policy_settings(arguments.run.settings());
    request.seed = arguments.run.seed;
    request.folder = arguments.out;
    if (!arguments.run.as_json) {
        fmt::print(
            "{:>5}  {:<8} {:<16} {:>10} {:>10} {:>10}  {}\n",
            "round",
            "gate",
            "reason",
            "predicted",
            "candidate",
            "incumbent",
            "gate was"
        );
    }
    const auto result = iterate(request, session.progress, session.stop, [&](const Round& round) {
        if (!arguments.run.as_json) {
            fmt::print(
                "{:>5}  {:<8} {:<16} {:>10.3f} {:>10.3f} {:>10.3f}  {}  ({:.0f} s)\n",
                round.number,
                round.decision,
                round.reason,
                round.predicted_return,
                round.candidate_metric,
                round.incumbent_metric,
                round.was_right ? "right" : "wrong",
                round.seconds
            );
        }
    });
    if (arguments.run.as_json) {
        auto rounds = nlohmann::json::array();
        for (const auto& round : result.rounds) {
            rounds.push_back(
                {{"round", round.number},
                 {"decision", round.decision},
                 {"reason", round.reason},
                 {"predicted_return", round.predicted_return},
                 {"candidate", round.candidate_metric},
                 {"incumbent", round.incumbent_metric},
                 {"was_right", round.was_right},
                 {"started_from", round.started_from}}
            );
        }
        const nlohmann::json answer{
            {"policy", result.policy},
            {"metric", request.metric},
            {"value", result.metric},
            {"stopped_by", result.stopped_by},
            {"rounds", rounds},
        };
        fmt::print("{}\n", answer.dump());
    } else {
        fmt::print(
            "{} is in charge: {} {:.3f}, stopped by {}\n",
            result.policy,
            request.metric,
            result.metric,
            result.stopped_by
        );
    }
    return 0;
}

constexpr std::array sections{OptionSection{"learn", &describe_options<policy::LearnOptions>}};

Run declare_iterate(CLI::App& verb) {
    auto arguments = std::make_shared<IterateArguments>();
    auto& request = arguments->request;
    verb.add_option("--world", request.world, "stands for the real users: " + world_names())
        ->required();
    verb.add_option("--agent", request.agent, "one of: " + agent_names())->required();
    verb.add_option("--until", arguments->until, "METRIC>=NUMBER, true in the world")->required();
    verb.add_option("--max-iterations", request.max_iterations, "rounds at most")
        ->capture_default_str();
    verb.add_option("--out", arguments->out, "folder of the rounds; the same one resumes")
        ->required();
    verb.add_option("--start", request.first_policy, "who acts first")->capture_default_str();
    verb.add_option("--patience", request.patience, "held rounds in a row before giving up")
        ->capture_default_str();
    verb.add_option("--log-episodes", request.log_episodes, "logged per round")
        ->capture_default_str();
    verb.add_option("--epsilon", request.epsilon, "share of uniform slates in the log")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1.0));
    verb.add_flag("--anew", request.begins_anew, "learn from first weights in every round");
    add_run_options(verb, arguments->run, learning_help);
    return [arguments](Session& session) { return run_iterate(*arguments, session); };
}

}  // namespace

extern const CommandEntry iterate_rounds{
    .name = "iterate",
    .summary = "act, learn a world, learn a policy, gate, act again until a metric is reached",
    .example =
        "honeyguide iterate --world interest_exploration --agent ppo --until 'return>=12' --out "
        "runs/loop",
    .declare = &declare_iterate,
    .settings = sections,
};

}  // namespace hg::app
