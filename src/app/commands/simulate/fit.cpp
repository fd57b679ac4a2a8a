// SPDX-License-Identifier: Apache-2.0
// honeyguide simulate fit: a dataset or an impression log in, a learned world out.
#include "app/command.hpp"
#include "app/feedback_source.hpp"
#include "core/clock.hpp"
#include "simulate/learned/fit_world.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace hg::app::simulating {
namespace {

struct Arguments {
    std::string data;
    std::string log;
    std::string out;
    std::string config;
    std::vector<std::string> set;
    std::uint64_t seed = 7;
    bool as_json = false;
};

int run(const Arguments& arguments, Session& session) {
    const Stopwatch watch;
    const auto config = arguments.config.empty() ? std::nullopt : std::optional{arguments.config};
    const auto settings = load_settings(config, arguments.set);
    const auto options = settings.read<simulate::WorldFitOptions>();
    const auto source = read_feedback(
        arguments.data, arguments.log, options, arguments.seed, session.progress, session.stop
    );
    const auto report = simulate::fit_world(
        {.table = source.table,
         .options = options,
         .seed = arguments.seed,
         .folder = arguments.out,
         .source = source.facts},
        session.progress,
        session.stop
    );
    if (arguments.as_json) {
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

Run declare(CLI::App& verb) {
    auto arguments = std::make_shared<Arguments>();
    verb.add_option("--data", arguments->data, "a raw folder or an ingested dataset");
    verb.add_option("--log", arguments->log, "an impression log (.jsonl, .jsonl.gz)");
    verb.add_option("--out", arguments->out, "the folder of the new world")->required();
    verb.add_option("--config", arguments->config, "TOML file with the options of the fit");
    verb.add_option("--set", arguments->set, "key=value, stronger than --config; repeat for more")
        ->type_size(1)
        ->allow_extra_args(false);
    verb.add_option("--seed", arguments->seed, "of every random draw")->capture_default_str();
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) { return run(*arguments, session); };
}

}  // namespace

extern const CommandEntry fit_world{
    .name = "fit",
    .summary = "learn a world of users from a dataset or an impression log",
    .example = "honeyguide simulate fit --data datasets/movies --out runs/world",
    .declare = &declare,
};

}  // namespace hg::app::simulating
