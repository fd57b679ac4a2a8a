// SPDX-License-Identifier: Apache-2.0
// honeyguide learn: an agent and a world in, a policy that has learned there out.
#include "policy/learn.hpp"

#include "app/command.hpp"
#include "app/world_source.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <memory>

namespace hg::app {
namespace {

struct LearnArguments {
    std::string agent;
    std::string world;
    std::string held_out;
    std::string out;
    std::string start_from;
    RunOptions run;
};

void print(const LearnArguments& arguments, const policy::LearnResult& result) {
    if (arguments.run.as_json) {
        const nlohmann::json facts{
            {"run", arguments.out},
            {"agent", arguments.agent},
            {"world", arguments.world},
            {"steps", result.steps},
            {"seconds", result.seconds},
            {"first_return", result.curve.front().mean_return.value},
            {"best_return", result.best_return},
            {"best_step", result.best_step},
            {"stopped_by", result.stopped_by},
        };
        fmt::print("{}\n", facts.dump());
        return;
    }
    fmt::print("{:>12}  {:>22}  {:>8}\n", "step", "return of held-out users", "seconds");
    for (const auto& point : result.curve) {
        fmt::print(
            "{:>12}  {:>14.3f} +- {:>6.3f}  {:>8.1f}{}\n",
            point.step,
            point.mean_return.value,
            point.mean_return.half_width,
            point.seconds,
            point.step == result.best_step ? "  kept" : ""
        );
    }
    fmt::print(
        "{}: {} learned in {} for {} steps in {:.1f} s (stopped by {}): return {:.3f} -> {:.3f}\n",
        arguments.out,
        arguments.agent,
        arguments.world,
        result.steps,
        result.seconds,
        result.stopped_by,
        result.curve.front().mean_return.value,
        result.best_return
    );
}

int run_learn(const LearnArguments& arguments, Session& session) {
    use_few_threads(session);
    const auto settings = policy_settings(arguments.run.settings());
    const auto world = open_world(arguments.world, settings.world, 1);
    const auto held_out = arguments.held_out.empty()
                              ? open_held_out(arguments.world, settings.world, 1)
                              : open_world(arguments.held_out, {}, 1);
    const policy::LearnRequest request{
        .entry = policy::find_agent(arguments.agent),
        .agent_settings = settings.agent,
        .options = settings.learn.read<policy::LearnOptions>(),
        .seed = arguments.run.seed,
        .world = *world.batch,
        .held_out = *held_out.batch,
        .world_facts = world.facts,
        .folder = arguments.out,
        .start_from = arguments.start_from,
    };
    print(arguments, policy::learn_run(request, session.progress, session.stop));
    return 0;
}

constexpr std::array sections{OptionSection{"learn", &describe_options<policy::LearnOptions>}};

Run declare_learn(CLI::App& verb) {
    auto arguments = std::make_shared<LearnArguments>();
    verb.add_option("--agent", arguments->agent, "one of: " + agent_names())->required();
    verb.add_option(
            "--world",
            arguments->world,
            "one of: " + world_names() +
                "; a run of simulate fit; labels:DATASET; served:RUN, a run of train as it is "
                "served"
    )
        ->required();
    verb.add_option(
        "--held-out", arguments->held_out, "judge in this world; default: other users of --world"
    );
    verb.add_option("--out", arguments->out, "the folder of the new run")->required();
    verb.add_option(
        "--from",
        arguments->start_from,
        "begin with the weights of this run of the same agent; agents with a belief also with a "
        "run "
        "of belief, RUN:alpha=A: its prior and its constant knob"
    );
    add_run_options(verb, arguments->run, learning_help);
    return [arguments](Session& session) { return run_learn(*arguments, session); };
}

}  // namespace

extern const CommandEntry learn{
    .name = "learn",
    .summary = "let an agent learn a policy in a world",
    .example = "honeyguide learn --agent ppo --world interest_evolution --out runs/ppo",
    .declare = &declare_learn,
    .settings = sections,
};

}  // namespace hg::app
