// SPDX-License-Identifier: Apache-2.0
// honeyguide tune: which settings of a model are best on held-out validation events.
#include "app/command.hpp"
#include "app/run_options.hpp"
#include "app/tuning.hpp"
#include "app/tuning_report.hpp"
#include "core/file.hpp"
#include "encode/vector_store.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

namespace hg::app {
namespace {

struct TuneArguments {
    std::string model;
    std::string data;
    std::string out;
    std::string protocol = "leave-one-out";
    std::string search = "tpe";
    std::string content = "auto";
    std::vector<std::string> dimensions;
    std::size_t trials = 30;
    RunOptions run;
};

int run_tune(const TuneArguments& arguments, Session& session) {
    const auto& entry = train::find_model(arguments.model);
    TuningRequest request{
        .entry = entry,
        .space = {},
        .fixed = arguments.run.settings(),
        .search = parse_search(arguments.search),
        .n_trials = arguments.trials,
        .seed = arguments.run.seed,
        .folder = arguments.out,
    };
    for (const auto& text : arguments.dimensions) {
        request.space.push_back(parse_dimension(text));
    }
    check_against(request.space, entry.options, request.fixed);
    // A mistyped option is told before the data is read.
    const SearchPoint first(request.space.size(), 0.0);
    (void)train::resolve_settings(entry, settings_at(request.space, first, request.fixed));

    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    using train::Fact;
    const bool looks = train::has(entry.facts, Fact::needs_content | Fact::uses_content);
    const auto content = encode::content_for(
        dataset,
        arguments.data,
        arguments.content == "auto" && !looks ? "none" : arguments.content,
        session.progress,
        session.stop
    );
    request.content = content ? &*content : nullptr;
    const auto protocol = make_protocol(
        dataset,
        {.kind = parse_protocol(arguments.protocol),
         .part = Part::validation,
         .seed = arguments.run.seed}
    );
    request.task = {
        {"model", entry.name},
        {"dataset", dataset.hash},
        {"protocol", protocol.label},
        {"content", arguments.content},
        {"search", arguments.search},
        {"trials", arguments.trials},
        {"try", arguments.dimensions},
        {"fixed", train::resolve_settings(entry, request.fixed)},
        {"seed", arguments.run.seed},
    };
    const auto tuning = tune_model(
        request,
        dataset,
        protocol,
        {session.progress, session.stop},
        [&](const Tuning& so_far) {
            if (!arguments.run.as_json) {
                fmt::print("{}", trial_text(request, so_far));
                std::fflush(stdout);
            }
        }
    );
    const auto lead = fmt::format(
        "{}: {}, {} questions; seed {}",
        dataset.name,
        protocol.label,
        protocol.n_queries(),
        arguments.run.seed
    );
    const auto report = request.folder / "report.html";
    const auto best = request.folder / "best.toml";
    write_file_atomic(report, tuning_html(request, tuning, lead));
    write_file_atomic(best, best_toml(request, tuning));
    if (arguments.run.as_json) {
        fmt::print("{}\n", value_or_throw(read_file(request.folder / "tuning.json")));
        return best_of(tuning) == nullptr ? 1 : 0;
    }
    fmt::print("{}", tuning_text(request, tuning));
    if (best_of(tuning) == nullptr) {
        return 1;
    }
    fmt::print(
        "\n{}: {}\nthe course of it: {}\n"
        "next: honeyguide train --model {} --data {} --out RUN --config {}\n",
        lead,
        best.string(),
        report.string(),
        entry.name,
        arguments.data,
        best.string()
    );
    return 0;
}

Run declare_tune(CLI::App& verb) {
    auto arguments = std::make_shared<TuneArguments>();
    verb.add_option("--model", arguments->model, "whose settings")->required();
    verb.add_option("--data", arguments->data, "a raw folder or an ingested dataset")->required();
    verb.add_option(
            "--out", arguments->out, "folder of the search; it is resumed where it is there"
    )
        ->required();
    verb.add_option(
            "--try",
            arguments->dimensions,
            "NAME=LOW..HIGH, NAME=LOW..HIGH:log or NAME=WORD,WORD; repeat for more options"
    )
        ->required();
    verb.add_option("--trials", arguments->trials, "fits; with --search halving, of the first rung")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    verb.add_option("--search", arguments->search, "tpe | random | halving (few epochs first)")
        ->capture_default_str();
    verb.add_option(
            "--protocol",
            arguments->protocol,
            "leave-one-out | ratio | time | few-shot | new-items; its validation part"
    )
        ->capture_default_str();
    verb.add_option("--content", arguments->content, "item vectors: auto | none | ENCODER")
        ->capture_default_str();
    add_run_options(
        verb,
        arguments->run,
        {.config = "TOML file with what all trials have in common",
         .set = "key=value of all trials, stronger than --config; repeat for more"}
    );
    return [arguments](Session& session) { return run_tune(*arguments, session); };
}

}  // namespace

extern const CommandEntry tune{
    .name = "tune",
    .summary = "find the settings of a model that are best on validation events",
    .example =
        "honeyguide tune --model sasrec --data movies --out tuning --try dim=32,64 "
        "--try learning_rate=5e-4..5e-3:log",
    .declare = &declare_tune,
};

}  // namespace hg::app
