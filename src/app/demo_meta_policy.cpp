// SPDX-License-Identifier: Apache-2.0
#include "app/demo_meta_policy.hpp"

#include "app/shipped_configs.hpp"
#include "app/world_source.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"
#include "data/binary_dataset.hpp"
#include "policy/learn.hpp"
#include "policy/play.hpp"
#include "train/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t seed = 7;
constexpr std::size_t turns_per_bar = 4;

/// Half of the users: the others are strangers to what is fitted on them.
data::Dataset half_of(const data::Dataset& dataset, std::size_t half) {
    auto part = dataset;
    part.log = dataset.log.filter([half](UserId user, std::size_t /*event*/) {
        return user.index() % 2 == half;
    });
    part.hash = digest_hex(fmt::format("{} half {}", dataset.hash, half));
    return part;
}

void fit_belief(const data::Dataset& users, const fs::path& folder, Session& session) {
    if (!fs::exists(folder / "manifest.json")) {
        train::fit_run(
            {.entry = train::find_model("gaussian"),
             .settings = {},
             .seed = seed,
             .dataset = users,
             .folder = folder},
            session.progress,
            session.stop
        );
    }
}

void keep_strangers(const data::Dataset& users, const fs::path& folder) {
    if (!fs::exists(folder / "dataset.json")) {
        fs::create_directories(folder);
        data::write_binary_dataset(users, folder, {});
    }
}

/// Of configs/meta_policy/small.toml with a tenth of its steps.
PolicySettings small_config(const fs::path& users) {
    auto settings = find_shipped_config("meta_policy/small");
    HG_CHECK(settings.has_value(), "configs/meta_policy/small.toml is in the program");
    settings->set("learn.steps", "30000", "demo");
    settings->set("learn.evaluate_every", "10000", "demo");
    settings->set("learn.evaluation_episodes", "256", "demo");
    settings->set("world.data", users.string(), "demo");
    return policy_settings(*settings);
}

/// The version to keep is chosen among the users it learns from: those it is judged by choose nothing.
void learn_policy(
    const PolicySettings& settings,
    const OpenedWorld& world,
    const fs::path& folder,
    Session& session
) {
    if (fs::exists(folder / "manifest.json")) {
        return;
    }
    const policy::LearnRequest request{
        .entry = policy::find_agent("meta_policy"),
        .agent_settings = settings.agent,
        .options = settings.learn.read<policy::LearnOptions>(),
        .seed = seed,
        .world = *world.batch,
        .held_out = *world.batch,
        .world_facts = world.facts,
        .folder = folder,
    };
    (void)policy::learn_run(request, session.progress, session.stop);
}

policy::PlayResult play(
    simulate::EnvironmentBatch& batch,
    const std::string& policy,
    const policy::PlayOptions& options,
    Session& session
) {
    const auto player = policy::load_agent(policy, batch.facts(), {}, seed);
    return policy::play(batch, *player.agent, options, {}, session.stop);
}

/// What a learned policy must beat to be worth its weights: the best of a few constants, one knob at a
/// time, tried on the users the policy learns from.
std::string best_constant(const OpenedWorld& world, Session& session) {
    const auto batch = world.batch->make_another(64);
    std::string best;
    double most = -1;
    for (const std::string knobs :
         {"exploration=0",
          "exploration=-0.3",
          "exploration=0.3",
          "novelty=-0.3",
          "novelty=-0.6",
          "content=0.3"}) {
        const auto policy = "constant_knobs:" + knobs;
        const auto hits = play(*batch, policy, {.episodes = 256, .seed = 500}, session);
        if (hits.mean_return.value > most) {
            most = hits.mean_return.value;
            best = policy;
        }
    }
    return best;
}

/// Hits of each few turns, and of all.
std::string row_of(const std::string& label, const policy::PlayResult& played) {
    std::string text = fmt::format("      {:<28}", label);
    const auto& hits = played.reward_by_turn;
    for (std::size_t turn = 0; turn < hits.size(); turn += turns_per_bar) {
        double sum = 0;
        for (std::size_t t = turn; t < std::min(hits.size(), turn + turns_per_bar); ++t) {
            sum += hits[t];
        }
        text += fmt::format("{:>8.2f}", sum);
    }
    return text +
           fmt::format(
               "{:>9.2f} +- {:.2f}\n", played.mean_return.value, played.mean_return.half_width
           );
}

}  // namespace

void learn_small_meta_policy(
    const data::Dataset& dataset, const fs::path& folder, Session& session
) {
    const auto told = folder / "told-meta.txt";
    if (const auto known = read_file(told)) {
        fmt::print("{}", *known);
        return;
    }
    fs::create_directories(folder);
    fit_belief(half_of(dataset, 0), folder / "belief", session);
    keep_strangers(half_of(dataset, 1), folder / "strangers");
    const auto settings = small_config(folder / "strangers");
    const auto name = "served:" + (folder / "belief").string();
    const auto world = open_world(name, settings.world, 1);
    const auto judged = open_held_out(name, settings.world, 1);
    learn_policy(settings, world, folder / "meta", session);
    std::string text = fmt::format(
        "      A policy that learns users: {} films, one by one, for people whom neither it nor "
        "the belief "
        "has seen;\n      hits per {} films, and in all:\n",
        judged.batch->facts().step_limit,
        turns_per_bar
    );
    const auto batch = judged.batch->make_another(64);
    const auto constant = best_constant(world, session);
    for (const auto& [label, policy] : {
             std::pair{std::string{"greed on the belief"}, std::string{"constant_knobs"}},
             std::pair{constant.substr(constant.find(':') + 1) + " for everyone", constant},
             std::pair{std::string{"knobs chosen by the policy"}, (folder / "meta").string()},
         }) {
        const policy::PlayOptions options{
            .episodes = 512, .seed = 1'000, .turns = judged.batch->facts().step_limit
        };
        text += row_of(label, play(*batch, policy, options, session));
    }
    fmt::print("{}", text);
    write_file_atomic(told, text);
}

}  // namespace hg::app
