// SPDX-License-Identifier: Apache-2.0
// Runs of agents: what learn_run() writes and load_agent() reads.
#include "core/clock.hpp"
#include "core/file.hpp"
#include "core/run_files.hpp"
#include "core/sealed_json.hpp"
#include "core/utc_time.hpp"
#include "policy/learn.hpp"
#include "simulate/item_texts.hpp"
#include "train/run.hpp"

#include <fmt/format.h>

#include <sstream>
#include <string>

namespace hg::policy {
namespace {

namespace fs = std::filesystem;

constexpr const char* weights_file = "weights.safetensors";
constexpr const char* items_file = "item_texts.safetensors";

std::size_t tokens_of(const AgentEntry& entry, const Settings& settings) {
    return entry.session_tokens != nullptr ? entry.session_tokens(settings) : 0;
}

std::unique_ptr<Agent> make(
    const AgentEntry& entry,
    const simulate::EnvironmentFacts& world,
    const Settings& settings,
    std::uint64_t seed
) {
    const AgentContext context{
        .world = world,
        .session_size = tokens_of(entry, settings) * SessionTokens::token_size(world),
        .rng = Rng{seed}.split("agent"),
    };
    return make_agent(entry, context, settings);
}

nlohmann::json curve_json(const LearnResult& result) {
    auto points = nlohmann::json::array();
    for (const auto& point : result.curve) {
        points.push_back(
            {{"step", point.step},
             {"return", point.mean_return.value},
             {"half_width", point.mean_return.half_width},
             {"seconds", point.seconds}}
        );
    }
    return points;
}

void write_manifest(const LearnRequest& request, const LearnResult& result) {
    nlohmann::json manifest{
        {"format_version", 1},
        {"kind", "agent"},
        {"agent", request.entry.name},
        {"summary", request.entry.summary},
        {"seed", request.seed},
        {"settings", request.agent_settings.resolve(request.entry.options)},
        {"learn", options_json(request.options)},
        {"world", request.world_facts},
        {"start_from", request.start_from},
        {"shape", shape_json(request.world.facts())},
        {"fit",
         {{"curve", curve_json(result)},
          {"best_step", result.best_step},
          {"best_return", result.best_return},
          {"steps", result.steps},
          {"stopped_by", result.stopped_by}}},
        {"seconds", result.seconds},
        {"created", utc_now()},
        {"version", HG_VERSION},
    };
    std::error_code ignored;
    for (const auto* name : {weights_file, items_file}) {
        if (fs::exists(request.folder / name, ignored)) {
            manifest["files"][name] = file_facts(request.folder / name);
        }
    }
    seal(manifest);
    write_file_atomic(request.folder / "manifest.json", manifest.dump(2) + "\n");
}

constexpr std::string_view step_key = "learn.step";
constexpr std::string_view command_key = "learn.command";

/// What must be the same for a checkpoint to be gone on from.
std::string command_of(const LearnRequest& request) {
    const nlohmann::json command{
        {"agent", request.entry.name},
        {"settings", request.agent_settings.resolve(request.entry.options)},
        {"learn", options_json(request.options)},
        {"world", request.world_facts},
        {"start_from", request.start_from},
        {"seed", request.seed},
    };
    return command.dump();
}

void save_checkpoint(
    const Agent& agent, std::int64_t step, const std::string& command, const fs::path& path
) {
    SafetensorsWriter checkpoint;
    agent.save(checkpoint, Agent::Save::resume);
    checkpoint.add_metadata(std::string{step_key}, fmt::format("{}", step));
    checkpoint.add_metadata(std::string{command_key}, command);
    checkpoint.save(path);
}

/// Steps done before, 0 = nothing to resume.
std::int64_t resume(Agent& agent, const std::string& command, const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) {
        return 0;
    }
    const auto file = value_or_throw(SafetensorsFile::open(path));
    const auto known = file.metadata().find(std::string{command_key});
    if (known == file.metadata().end() || known->second != command) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{}: was begun with another agent, world, seed or option", path.string()),
            "give the same command to go on, or remove the folder to begin anew"
        };
    }
    agent.load(file, Agent::Save::resume);
    return std::stoll(file.metadata().at(std::string{step_key}));
}

[[noreturn]] void refuse_shape(
    const std::string& run, const nlohmann::json& learned, const nlohmann::json& here
) {
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "{}: learned in a world of shape {}, but this one has {}",
            run,
            learned.dump(),
            here.dump()
        ),
        "use it in the world it was learned in, or one with the same sizes"
    };
}

/// What of a shape an agent with these settings depends on.
nlohmann::json needed_of(nlohmann::json shape, const AgentEntry& entry, const Settings& settings) {
    if (entry.outlives_items != nullptr && entry.outlives_items(settings)) {
        shape.erase("n_items");
        shape.erase("n_candidates");
    }
    return shape;
}

bool is_run(const std::string& run_or_name) {
    std::error_code error;
    return fs::exists(fs::path{run_or_name} / "manifest.json", error);
}

nlohmann::json read_manifest(const std::string& run) {
    const auto text = value_or_throw(read_file(fs::path{run} / "manifest.json"));
    auto manifest = nlohmann::json::parse(text, nullptr, false);
    const bool is_agent = manifest.is_object() && manifest.value("kind", "") == "agent";
    if (!is_agent || !manifest.contains("shape") || !manifest.contains("settings") ||
        !manifest.contains("agent") || !manifest.contains("seed")) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: is not a run of an agent", run),
            "honeyguide learn makes one"
        };
    }
    if (has_broken_seal(manifest)) {
        throw_damaged_run(fs::path{run} / "manifest.json", "its content differs from its seal");
    }
    return manifest;
}

/// "NAME:key=value,key=value" in its parts.
struct Named {
    std::string name;
    std::vector<std::string> assignments;
};

Named parts_of(const std::string& text) {
    const auto colon = text.find(':');
    Named named{.name = text.substr(0, colon), .assignments = {}};
    if (colon != std::string::npos) {
        std::stringstream given{text.substr(colon + 1)};
        for (std::string assignment; std::getline(given, assignment, ',');) {
            named.assignments.push_back(assignment);
        }
    }
    return named;
}

/// The names a run knows items by, for worlds and logs that have none.
simulate::EnvironmentFacts with_names(
    const simulate::EnvironmentFacts& world, const fs::path& folder, const nlohmann::json& manifest
) {
    auto named = world;
    std::error_code ignored;
    if (named.item_texts == nullptr && fs::exists(folder / items_file, ignored)) {
        named.item_texts = std::make_shared<const simulate::ItemTexts>(
            simulate::ItemTexts::load(open_run_file(folder, manifest, items_file))
        );
    }
    return named;
}

/// What another run learned, before the first step.
void start_from(Agent& agent, const LearnRequest& request) {
    const auto [run, assignments] = parts_of(request.start_from);
    const auto manifest = read_manifest(run);
    const auto shape = shape_json(request.world.facts());
    if (manifest.at("shape") != shape) {
        refuse_shape(run, manifest.at("shape"), shape);
    }
    const auto weights = open_run_file(run, manifest, weights_file);
    const auto& entry = find_agent(manifest.at("agent").get<std::string>());
    if (entry.name == request.entry.name && assignments.empty()) {
        agent.load(weights, Agent::Save::policy);
        return;
    }
    auto settings = Settings::from_json(manifest.at("settings"), run + "/manifest.json");
    for (const auto& assignment : assignments) {
        settings.set_assignment(assignment);
    }
    if (!agent.begin_with(entry.name, settings.resolve(entry.options), weights)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: {} cannot begin with a run of {}",
                request.start_from,
                request.entry.name,
                entry.name
            ),
            "begin with a run of the same agent, without other options; agents with a belief may "
            "begin with a run of belief"
        };
    }
}

LoadedAgent load_run_of_agent(
    const Named& named_run, const simulate::EnvironmentFacts& world, const Settings& given
) {
    const auto& run = named_run.name;
    const fs::path folder{run};
    const auto manifest = read_manifest(run);
    if (!given.empty()) {
        const auto& [key, value] = *given.values().begin();
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: unknown key {}", value.origin, key),
            fmt::format(
                "{0} keeps the options it was learned with; {0}:{1}={2} plays it with another",
                run,
                key,
                value.text
            )
        };
    }
    const auto& entry = find_agent(manifest.at("agent").get<std::string>());
    auto settings =
        Settings::from_json(manifest.at("settings"), (folder / "manifest.json").string());
    for (const auto& assignment : named_run.assignments) {
        settings.set_assignment(assignment);
    }
    const auto learned = needed_of(manifest.at("shape"), entry, settings);
    if (const auto here = needed_of(shape_json(world), entry, settings); learned != here) {
        refuse_shape(run, learned, here);
    }
    LoadedAgent loaded{
        .name = folder.filename().string(),
        .agent = make(
            entry,
            with_names(world, folder, manifest),
            settings,
            manifest.at("seed").get<std::uint64_t>()
        ),
        .session_tokens = tokens_of(entry, settings),
    };
    const auto weights = open_run_file(folder, manifest, weights_file);
    loaded.agent->load(weights, Agent::Save::policy);
    return loaded;
}

}  // namespace

nlohmann::json shape_json(const simulate::EnvironmentFacts& world) {
    return {
        {"n_candidates", world.n_candidates},
        {"slate_size", world.slate_size},
        {"user_size", world.user_size},
        {"item_size", world.item_size},
        {"n_items", world.n_items},
        {"n_states", world.n_states},
    };
}

LearnResult learn_run(
    const LearnRequest& request, ProgressSink& progress, const std::stop_token& stop
) {
    auto facts = request.world.facts();
    if (facts.item_texts == nullptr) {
        facts.item_texts = request.item_texts;
    }
    auto agent = make(request.entry, facts, request.agent_settings, request.seed);
    if (!has(request.entry.facts, AgentFact::learns)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("agent {} has nothing to learn", request.entry.name),
            "play it as it is: honeyguide simulate run --policy NAME"
        };
    }
    if (shape_json(facts) != shape_json(request.held_out.facts())) {
        refuse_shape("the agent", shape_json(facts), shape_json(request.held_out.facts()));
    }
    train::RunWriter run{request.folder};
    const auto world = request.world.make_another(static_cast<std::size_t>(request.options.users));
    const auto held_out = request.held_out.make_another(
        static_cast<std::size_t>(std::min<std::int64_t>(request.options.evaluation_episodes, 256))
    );
    const auto first_step = resume(*agent, command_of(request), run.checkpoint_path());
    std::error_code ignored;
    if (first_step == 0) {
        fs::remove(request.folder / "best.safetensors", ignored);
        if (!request.start_from.empty()) {
            start_from(*agent, request);
        }
    }
    const LearnSetup setup{
        .agent = *agent,
        .world = *world,
        .held_out = *held_out,
        .options = request.options,
        .best = request.folder / "best.safetensors",
        .session_tokens = tokens_of(request.entry, request.agent_settings),
        .seed = request.seed,
        .first_step = first_step,
        .checkpoint =
            [&](std::int64_t step) {
                save_checkpoint(*agent, step, command_of(request), run.checkpoint_path());
            },
    };
    const auto result =
        learn(setup, progress, stop, [&](std::string_view name, std::int64_t step, double value) {
            run.metric(name, step, value);
        });
    if (stop.stop_requested()) {
        save_checkpoint(*agent, result.steps, command_of(request), run.checkpoint_path());
        throw Error{
            ErrorCode::interrupted,
            fmt::format("stopped after {} steps; the agent is saved", result.steps),
            "the same command goes on from there"
        };
    }
    SafetensorsWriter weights;
    agent->save(weights, Agent::Save::policy);
    weights.save(request.folder / weights_file);
    if (facts.item_texts != nullptr) {
        SafetensorsWriter items;
        facts.item_texts->save(items);
        items.save(request.folder / items_file);
    }
    write_manifest(request, result);
    fs::remove(run.checkpoint_path(), ignored);
    fs::remove(request.folder / "best.safetensors", ignored);
    return result;
}

LoadedAgent load_agent(
    const std::string& run_or_name,
    const simulate::EnvironmentFacts& world,
    const Settings& settings,
    std::uint64_t seed
) {
    const auto named = parts_of(run_or_name);
    if (is_run(named.name)) {
        return load_run_of_agent(named, world, settings);
    }
    const auto& name = named.name;
    const auto& entry = find_agent(name);
    auto options = settings;
    for (const auto& assignment : named.assignments) {
        options.set_assignment(assignment);
    }
    if (has(entry.facts, AgentFact::learns)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("agent {} must learn before it can play", name),
            fmt::format(
                "run honeyguide learn --agent {} --world NAME --out RUN and give that RUN",
                run_or_name
            )
        };
    }
    return {
        .name = run_or_name,
        .agent = make(entry, world, options, seed),
        .session_tokens = tokens_of(entry, options),
    };
}

LoadedAgent load_agent_for_log(
    const std::string& run_or_name, const simulate::EnvironmentFacts& logged, std::uint64_t seed
) {
    auto world = logged;
    if (const auto run = parts_of(run_or_name).name; is_run(run)) {
        const auto shape = read_manifest(run).at("shape");
        world.n_items = shape.value("n_items", std::size_t{0});
        world.n_states = shape.value("n_states", std::size_t{0});
    }
    return load_agent(run_or_name, world, {}, seed);
}

}  // namespace hg::policy
