// SPDX-License-Identifier: Apache-2.0
// honeyguide simulate run: a policy played in a world, measured over seeds; its decisions as a log.
#include "app/command.hpp"
#include "app/play_curves.hpp"
#include "app/world_source.hpp"
#include "core/folder_name.hpp"
#include "core/nearest.hpp"
#include "policy/explorer.hpp"
#include "policy/impressions.hpp"
#include "policy/learn.hpp"
#include "policy/play.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

namespace hg::app::simulating {
namespace {

struct SimulateRunArguments {
    std::string world;
    std::string policy;
    std::string log;
    std::string curves;
    RunOptions run;
    std::size_t episodes = 200;
    std::size_t users = 64;
    std::size_t seeds = 5;
    double epsilon = 0;
    std::size_t turns = 0;
    bool explore = false;
    bool transcript = false;
};

/// One number per seed.
using Columns = std::map<std::string, std::vector<double>>;

void add(Columns& columns, const policy::PlayResult& played) {
    columns["return"].push_back(played.mean_return.value);
    columns["length"].push_back(played.length.value);
    columns["click_rate"].push_back(played.click_rate.value);
    columns["coverage"].push_back(played.coverage);
    columns["diversity"].push_back(played.diversity.value);
    columns["novelty"].push_back(played.novelty);
    for (std::size_t turn = 0; turn < played.reward_by_turn.size(); ++turn) {
        columns[fmt::format("reward_of_turn_{:03}", turn + 1)].push_back(played.reward_by_turn[turn]
        );
        columns[fmt::format("rating_of_turn_{:03}", turn + 1)].push_back(played.rating_by_turn[turn]
        );
    }
    if (played.has_regret) {
        columns["regret_per_step"].push_back(played.regret);
    }
}

void print(
    const SimulateRunArguments& arguments, const Columns& columns, std::size_t steps, double seconds
) {
    if (arguments.run.as_json) {
        nlohmann::json answer{
            {"world", arguments.world},
            {"policy", arguments.policy},
            {"episodes", arguments.episodes * arguments.seeds},
            {"seeds", arguments.seeds},
            {"steps", steps},
            {"steps_per_second", static_cast<double>(steps) / seconds},
        };
        for (const auto& [name, values] : columns) {
            const auto mean = policy::mean_of(values);
            answer[name] = {{"mean", mean.value}, {"half_width", mean.half_width}};
        }
        fmt::print("{}\n", answer.dump());
        return;
    }
    fmt::print(
        "{} in {}: {} seeds of {} episodes; 95 % intervals over seeds\n",
        arguments.policy,
        arguments.world,
        arguments.seeds,
        arguments.episodes
    );
    for (const auto& [name, values] : columns) {
        const auto mean = policy::mean_of(values);
        fmt::print("  {:<18} {:>10.4f} +- {:.4f}\n", name, mean.value, mean.half_width);
    }
    fmt::print("  {:<18} {:>10.3g}\n", "steps/s", static_cast<double>(steps) / seconds);
}

char mark_of(const simulate::Response& response) {
    return response.purchased ? '$' : response.clicked ? '*' : ' ';
}

/// One episode of one user, a line a step and the state it led to: for golden files and for
/// reading. * = clicked, $ = purchased.
void print_transcript(
    const SimulateRunArguments& arguments,
    policy::LoadedAgent& player,
    simulate::EnvironmentBatch& world
) {
    std::size_t t = 0;
    const auto show = [&](const policy::TransitionBatch& step, std::span<const std::uint64_t>) {
        std::string line = fmt::format("{:>4}", t++);
        const auto slate = step.decisions.slates.row(0);
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            line += fmt::format(
                "  {}{} p={:.4f}",
                step.before.item_ids(0, slate[slot]),
                mark_of(step.responses(0, slot)),
                step.decisions.propensities(0, slot)
            );
        }
        line += fmt::format("  reward={:.4f}", step.rewards[0]);
        const bool is_over = step.ended[0] != 0 || step.truncated[0] != 0;
        if (is_over) {  // the world is in its next episode
            line += step.ended[0] != 0 ? "  left" : "  cut";
        } else {
            line += "  | " + world.describe_state(0);
        }
        fmt::print("{}\n", line);
    };
    fmt::print("# {} in {}, seed {}\n", arguments.policy, arguments.world, arguments.run.seed);
    const policy::PlayOptions options{
        .episodes = 1,
        .seed = arguments.run.seed,
        .mode = arguments.explore ? policy::Mode::explore : policy::Mode::exploit,
        .session_tokens = player.session_tokens,
    };
    const auto played = policy::play(world, *player.agent, options, show);
    fmt::print("# return {:.4f} after {} steps\n", played.mean_return.value, t);
}

/// Nothing is learned here; a key of the world may be what was meant.
void refuse_learn_keys(const Settings& learn, const nlohmann::json& world) {
    if (learn.empty()) {
        return;
    }
    std::vector<std::string> names;
    for (const auto& option : world.items()) {
        names.push_back(option.key());
    }
    const std::vector<std::string_view> known{names.begin(), names.end()};
    const auto& [key, value] = *learn.values().begin();
    const auto near = nearest_name(key, known);
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("{}: unknown key learn.{}", value.origin, key),
        fmt::format(
            "{}learn.KEY is for honeyguide learn; here: world.KEY and options of the policy",
            near.empty() ? "" : fmt::format("did you mean world.{}? ", near)
        )
    };
}

int run_simulate_run(const SimulateRunArguments& arguments, Session& session) {
    use_few_threads(session);
    const auto settings = policy_settings(arguments.run.settings());
    const auto n_users = arguments.transcript ? 1 : arguments.users;
    const auto world = open_world(arguments.world, settings.world, n_users);
    refuse_learn_keys(settings.learn, world.facts.at("settings"));
    auto player = policy::load_agent(
        arguments.policy, world.batch->facts(), settings.agent, arguments.run.seed
    );
    if (arguments.transcript) {
        print_transcript(arguments, player, *world.batch);
        return 0;
    }
    const auto unfinished = arguments.log + ".tmp-partial";
    std::ofstream file;
    std::unique_ptr<policy::ImpressionRecorder> recorder;
    policy::StepHook hook;
    if (!arguments.log.empty()) {
        file.open(unfinished, std::ios::binary);
        if (!file) {
            throw Error{
                ErrorCode::unavailable,
                fmt::format("{}: cannot be written", arguments.log),
                "check the folder and its permissions"
            };
        }
        recorder =
            std::make_unique<policy::ImpressionRecorder>(file, player.name, world.batch->facts());
        hook = std::ref(*recorder);
    }
    TurnRecorder turns{arguments.users};
    if (!arguments.curves.empty()) {
        hook = [recorded = std::move(hook), &turns](const auto& step, const auto& episodes) {
            turns(step, episodes);
            if (recorded) {
                recorded(step, episodes);
            }
        };
    }
    policy::Explorer explorer{*player.agent, arguments.epsilon};
    policy::Agent& acting = arguments.epsilon > 0 ? explorer : *player.agent;
    Progress bar{session.progress, "simulate", arguments.seeds, "seeds"};
    Columns columns;
    std::size_t steps = 0;
    double seconds = 0;
    for (std::size_t s = 0; s < arguments.seeds && !session.stop.stop_requested(); ++s) {
        const policy::PlayOptions options{
            .episodes = arguments.episodes,
            .seed = arguments.run.seed + s,
            .mode = arguments.explore ? policy::Mode::explore : policy::Mode::exploit,
            .session_tokens = player.session_tokens,
            .turns = arguments.turns,
        };
        if (recorder) {
            recorder->begin_play(options.seed);
        }
        const auto played = policy::play(*world.batch, acting, options, hook, session.stop);
        add(columns, played);
        turns.end_play(played.returns.size());
        steps += played.n_steps;
        seconds += played.seconds;
        bar.advance();
    }
    if (session.stop.stop_requested()) {
        std::error_code ignored;
        std::filesystem::remove(unfinished, ignored);
        throw Error{
            ErrorCode::interrupted, "stopped before the last episode; nothing was written", ""
        };
    }
    if (!arguments.log.empty()) {
        file.close();
        std::filesystem::rename(unfinished, arguments.log);
    }
    if (!arguments.curves.empty()) {
        const nlohmann::json of{
            {"world", arguments.world},
            {"settings", world.facts.at("settings")},
            {"users", arguments.users},
            {"episodes", arguments.episodes},
            {"seeds", arguments.seeds},
            {"seed", arguments.run.seed},
        };
        const auto step_limit = world.batch->facts().step_limit;
        write_play_curves(
            arguments.curves,
            folder_name(arguments.policy),
            turns.visits(),
            step_limit > 0 ? step_limit : 50,
            of
        );
    }
    print(arguments, columns, steps, seconds);
    return 0;
}

Run declare_simulate_run(CLI::App& verb) {
    auto arguments = std::make_shared<SimulateRunArguments>();
    verb.add_option(
            "--world",
            arguments->world,
            "one of: " + world_names() +
                "; or a run of simulate fit; or labels:DATASET; or served:RUN"
    )
        ->required();
    verb.add_option(
            "--policy",
            arguments->policy,
            "a run of learn, or an agent that needs no learning: random | affinity | fixed_rule | "
            "bayes_optimal | constant_knobs, options as NAME:key=value,..."
    )
        ->required();
    verb.add_option("--episodes", arguments->episodes, "per seed")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}));
    verb.add_option("--users", arguments->users, "side by side")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{100000}));
    verb.add_option("--seeds", arguments->seeds, "how many seeds")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{10000}));
    verb.add_option(
            "--turns",
            arguments->turns,
            "mean rewards and ratings of this many first steps, one by one"
    )
        ->check(CLI::Range(std::size_t{1}, std::size_t{1000}));
    verb.add_flag("--explore", arguments->explore, "play as while learning, not as judged");
    verb.add_option(
            "--epsilon",
            arguments->epsilon,
            "share of uniform slates: makes a log others can be judged by"
    )
        ->check(CLI::Range(0.0, 1.0));
    verb.add_option("--log", arguments->log, "write every decision as an impression log");
    verb.add_option(
        "--curves",
        arguments->curves,
        "write what visits earn after 0, 1, 2, 5, 10 and 20 turns, one by one, as a row of this "
        "file; "
        "gate --few-shot compares two rows"
    );
    verb.add_flag("--transcript", arguments->transcript, "print one episode, a line a step");
    add_run_options(
        verb,
        arguments->run,
        {.config = "TOML file: the policy's options, [world]",
         .set = "key=value: KEY of the policy or world.KEY; repeat",
         .seed = "the first seed"}
    );
    return [arguments](Session& session) { return run_simulate_run(*arguments, session); };
}

}  // namespace

extern const CommandEntry run_policy{
    .name = "run",
    .summary = "play a policy in a world: return, length, clicks, coverage, diversity",
    .example = "honeyguide simulate run --world interest_evolution --policy random --json",
    .declare = &declare_simulate_run,
};

}  // namespace hg::app::simulating
