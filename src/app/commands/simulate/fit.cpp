// SPDX-License-Identifier: Apache-2.0
// honeyguide simulate fit: a dataset or an impression log in, a learned world out.
#include "app/command.hpp"
#include "app/feedback_source.hpp"
#include "app/run_options.hpp"
#include "core/clock.hpp"
#include "simulate/learned/fit_world.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <memory>

namespace hg::app::simulating {
namespace {

struct SimulateFitArguments {
    std::string data;
    std::string log;
    std::string out;
    RunOptions run;
};

int run_simulate_fit(const SimulateFitArguments& arguments, Session& session) {
    const Stopwatch watch;
    const auto options = arguments.run.settings().read<simulate::WorldFitOptions>();
    const auto source = read_feedback(
        arguments.data, arguments.log, options, arguments.run.seed, session.progress, session.stop
    );
    const auto report = simulate::fit_world(
        {.table = source.table,
         .options = options,
         .seed = arguments.run.seed,
         .folder = arguments.out,
         .source = source.facts},
        session.progress,
        session.stop
    );
    if (arguments.run.as_json) {
        const nlohmann::json facts{
            {"run", arguments.out},
            {"source", source.facts},
            {"sequences", report.n_sequences},
            {"decisions", report.n_decisions},
            {"members", report.members.size()},
            {"seconds", watch.seconds()},
        };
        fmt::print("{}\n", facts.dump());
        return 0;
    }
    fmt::print(
        "{}: a world of {} members learned from {} decisions of {} {} in {:.1f} s\n",
        arguments.out,
        report.members.size(),
        report.n_decisions,
        report.n_sequences,
        source.table.facts.is_clicks_only ? "users" : "sessions",
        watch.seconds()
    );
    return 0;
}

constexpr std::array sections{OptionSection{"", &describe_options<simulate::WorldFitOptions>}};

Run declare_simulate_fit(CLI::App& verb) {
    auto arguments = std::make_shared<SimulateFitArguments>();
    verb.add_option("--data", arguments->data, "a raw folder or an ingested dataset");
    verb.add_option("--log", arguments->log, "an impression log (.jsonl, .jsonl.gz)");
    verb.add_option("--out", arguments->out, "the folder of the new world")->required();
    add_run_options(verb, arguments->run, {.config = "TOML file with the options of the fit"});
    return [arguments](Session& session) { return run_simulate_fit(*arguments, session); };
}

}  // namespace

extern const CommandEntry fit_world{
    .name = "fit",
    .summary = "learn a world of users from a dataset or an impression log",
    .example = "honeyguide simulate fit --data datasets/movies --out runs/world",
    .declare = &declare_simulate_fit,
    .settings = sections,
};

}  // namespace hg::app::simulating
