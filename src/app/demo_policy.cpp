// SPDX-License-Identifier: Apache-2.0
#include "app/demo_policy.hpp"

#include "app/feedback_source.hpp"
#include "app/logged_policies.hpp"
#include "app/world_source.hpp"
#include "core/file.hpp"
#include "policy/explorer.hpp"
#include "policy/impressions.hpp"
#include "policy/learn.hpp"
#include "policy/play.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <functional>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t seed = 7;
constexpr const char* incumbent = "affinity";
constexpr double log_epsilon = 0.5;
constexpr std::size_t log_episodes = 1000;

Settings world_settings(const char* family) {
    Settings settings;
    settings.set("family", family, "demo");
    settings.set("n_candidates", "5", "demo");
    settings.set("slate_size", "1", "demo");
    settings.set("step_limit", "20", "demo");
    return settings;
}

void fit_small_world(const fs::path& dataset, const fs::path& folder, Session& session) {
    if (fs::exists(folder / "manifest.json")) {
        return;
    }
    simulate::WorldFitOptions options;
    options.max_decisions = 8000;
    options.members.epochs = 10;
    const auto source =
        read_feedback(dataset.string(), "", options, seed, session.progress, session.stop);
    (void)simulate::fit_world(
        {.table = source.table,
         .options = options,
         .seed = seed,
         .folder = folder,
         .source = source.facts},
        session.progress,
        session.stop
    );
}

void learn_in(const fs::path& world_folder, const fs::path& folder, Session& session) {
    if (fs::exists(folder / "manifest.json")) {
        return;
    }
    const auto world = open_world(world_folder.string(), world_settings("feature"), 1);
    const policy::LearnRequest request{
        .entry = policy::find_agent("ppo"),
        .agent_settings = {},
        .options = {.steps = 40'000, .users = 128, .evaluate_every = 10'000},
        .seed = seed,
        .world = *world.batch,
        .held_out = *world.batch,
        .world_facts = world.facts,
        .folder = folder,
    };
    (void)policy::learn_run(request, session.progress, session.stop);
}

/// The incumbent, half of its slates uniform, in the family the policy has not seen.
void log_incumbent(const fs::path& world_folder, const fs::path& path) {
    if (fs::exists(path)) {
        return;
    }
    const auto world = open_world(world_folder.string(), world_settings("sequence"), 100);
    auto player = policy::load_agent(incumbent, world.batch->facts(), {}, seed);
    policy::Explorer explorer{*player.agent, log_epsilon};
    const auto unfinished = path.string() + ".tmp-partial";
    {
        std::ofstream out{unfinished, std::ios::binary};
        policy::ImpressionRecorder recorder{out, incumbent, world.batch->facts()};
        (void)policy::play(
            *world.batch, explorer, {.episodes = log_episodes, .seed = seed}, std::ref(recorder)
        );
    }
    fs::rename(unfinished, path);
}

std::string curve_text(const nlohmann::json& manifest) {
    const auto& curve = manifest.at("fit").at("curve");
    double top = 1e-9;
    for (const auto& point : curve) {
        top = std::max(top, point.at("return").get<double>());
    }
    std::string text;
    for (const auto& point : curve) {
        constexpr double width = 40;
        const double value = point.at("return");
        const auto bars = static_cast<std::size_t>(std::max(0.0, value / top * width));
        text += fmt::format(
            "      {:>7} steps  {:<40}  {:.3f} clicks a visit\n",
            point.at("step").get<std::int64_t>(),
            std::string(bars, '#'),
            value
        );
    }
    return text;
}

}  // namespace

std::string learn_small_policy(const fs::path& dataset, const fs::path& folder, Session& session) {
    const auto told = folder / "told.txt";
    if (const auto known = read_file(told)) {
        fmt::print("{}", *known);
        return "as decided before";
    }
    fs::create_directories(folder);
    fit_small_world(dataset, folder / "world", session);
    learn_in(folder / "world", folder / "ppo", session);
    log_incumbent(folder / "world", folder / "log.jsonl");
    const auto judged = judge_on_log(
        {.log = {.path = (folder / "log.jsonl").string()},
         .policies = {(folder / "ppo").string(), incumbent},
         .seed = seed},
        session.progress,
        session.stop
    );
    const auto record = value_or_throw(run_gate_on(judged));
    write_file_atomic(folder / "decision.json", evaluate::to_json(record).dump(2) + "\n");
    const auto manifest =
        nlohmann::json::parse(value_or_throw(read_file(folder / "ppo" / "manifest.json")));
    const auto text = fmt::format(
        "      PPO in a world of simulated users learned from the log (one item of 5 a step):\n{}"
        "      The gate: may it replace \"{}\"? Judged on a simulated log of {} decisions, from a "
        "family of\n      worlds it did not learn in:\n{}",
        curve_text(manifest),
        incumbent,
        judged.log.size(),
        evaluate::to_text(record)
    );
    fmt::print("{}", text);
    write_file_atomic(told, text);
    return fmt::format("decision: {}", (folder / "decision.json").string());
}

}  // namespace hg::app
