// SPDX-License-Identifier: Apache-2.0
// honeyguide simulate fidelity: how far a learned world may be trusted, on what it was not fitted
// to.
#include "simulate/learned/fidelity.hpp"

#include "app/command.hpp"
#include "app/feedback_source.hpp"
#include "app/fidelity_report.hpp"
#include "core/file.hpp"
#include "simulate/learned/world_model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace hg::app::simulating {
namespace {

struct SimulateFidelityArguments {
    std::string world;
    std::string data;
    std::string log;
    std::string report;
    std::size_t episodes = 500;
    bool as_json = false;
};

/// Where the world was fitted, unless told where the data lie now.
void find_data(SimulateFidelityArguments& arguments, const nlohmann::json& manifest) {
    if (arguments.data.empty() && arguments.log.empty()) {
        const auto source = manifest.value("source", nlohmann::json::object());
        const auto path = source.value("path", std::string{});
        (source.value("kind", "") == "dataset" ? arguments.data : arguments.log) = path;
    }
}

int run_simulate_fidelity(SimulateFidelityArguments arguments, Session& session) {
    const auto loaded = simulate::load_world(arguments.world);
    find_data(arguments, loaded.manifest);
    const auto settings =
        Settings::from_json(loaded.manifest.at("settings"), arguments.world + "/manifest.json");
    const auto options = settings.read<simulate::WorldFitOptions>();
    const auto seed = loaded.manifest.at("seed").get<std::uint64_t>();
    const auto source =
        read_feedback(arguments.data, arguments.log, options, seed, session.progress, session.stop);
    if (source.table.facts.data_hash != loaded.model->facts.feedback.data_hash) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is not the data that {} was fitted to: held-out parts would not be held out",
                source.table.facts.data_name,
                arguments.world
            ),
            "give the same --data or --log as to simulate fit, unchanged"
        };
    }
    auto fidelity = simulate::measure_fidelity(
        loaded.model,
        source.table,
        simulate::split_of(source.table, options, seed),
        {.episodes = arguments.episodes, .seed = seed}
    );
    fidelity.assumptions = loaded.manifest.value("assumptions", std::vector<std::string>{});
    if (!arguments.report.empty()) {
        write_file_atomic(arguments.report, fidelity_html(fidelity, loaded.name));
    }
    if (arguments.as_json) {
        fmt::print("{}\n", simulate::to_json(fidelity).dump(2));
    } else {
        fmt::print("{}", fidelity_text(fidelity));
    }
    return 0;
}

Run declare_simulate_fidelity(CLI::App& verb) {
    auto arguments = std::make_shared<SimulateFidelityArguments>();
    verb.add_option("--world", arguments->world, "the folder of a learned world")->required();
    verb.add_option("--data", arguments->data, "the dataset it was fitted to, where it has moved");
    verb.add_option("--log", arguments->log, "the log it was fitted to, where it has moved");
    verb.add_option("--episodes", arguments->episodes, "played in the world, for each comparison")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    verb.add_option("--report", arguments->report, "write a self-contained HTML report here");
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) { return run_simulate_fidelity(*arguments, session); };
}

}  // namespace

extern const CommandEntry fidelity{
    .name = "fidelity",
    .summary = "measure a learned world on users it never saw",
    .example = "honeyguide simulate fidelity --world runs/world --report world.html",
    .declare = &declare_simulate_fidelity,
};

}  // namespace hg::app::simulating
