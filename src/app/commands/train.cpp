// SPDX-License-Identifier: Apache-2.0
// honeyguide train: a dataset and the name of a model in, a run out.
#include "app/command.hpp"
#include "app/run_options.hpp"
#include "core/clock.hpp"
#include "data/dataset.hpp"
#include "encode/vector_store.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace hg::app {
namespace {

struct TrainArguments {
    std::string model;
    std::string data;
    std::string out;
    std::string content = "auto";
    RunOptions run;
};

/// Models that never look at content are not made to wait for it.
std::string_view content_choice(const train::ModelEntry& entry, const std::string& asked) {
    using train::Fact;
    const bool wants = train::has(entry.facts, Fact::needs_content | Fact::uses_content);
    return asked == "auto" && !wants ? "none" : std::string_view{asked};
}

int run_train(const TrainArguments& arguments, Session& session) {
    const Stopwatch watch;
    const auto& entry = train::find_model(arguments.model);
    auto settings = arguments.run.settings();
    (void
    )train::resolve_settings(entry, settings);  // a mistyped option is told before the data is read
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto content = encode::content_for(
        dataset,
        arguments.data,
        content_choice(entry, arguments.content),
        session.progress,
        session.stop
    );
    const train::FitRequest request{
        .entry = entry,
        .settings = std::move(settings),
        .seed = arguments.run.seed,
        .dataset = dataset,
        .content = content ? &*content : nullptr,
        .folder = arguments.out,
    };
    train::fit_run(request, session.progress, session.stop);
    if (arguments.run.as_json) {
        const nlohmann::json facts{
            {"run", arguments.out},
            {"model", entry.name},
            {"events", dataset.log.size()},
            {"users", dataset.users.size()},
            {"items", dataset.items.size()},
            {"seconds", watch.seconds()},
        };
        fmt::print("{}\n", facts.dump());
    } else {
        fmt::print(
            "{}: {} learned from {} events of {} users and {} items in {:.1f} s\n",
            arguments.out,
            entry.name,
            dataset.log.size(),
            dataset.users.size(),
            dataset.items.size(),
            watch.seconds()
        );
    }
    return 0;
}

std::string model_names() {
    std::string names;
    for (const auto* model : train::models()) {
        names += fmt::format("{}{}", names.empty() ? "" : " | ", model->name);
    }
    return names;
}

Run declare_train(CLI::App& verb) {
    auto arguments = std::make_shared<TrainArguments>();
    verb.add_option("--model", arguments->model, "one of: " + model_names())->required();
    verb.add_option("--data", arguments->data, "a raw folder or an ingested dataset")->required();
    verb.add_option("--out", arguments->out, "the folder of the new run")->required();
    verb.add_option("--content", arguments->content, "item vectors: auto | none | ENCODER")
        ->capture_default_str();
    add_run_options(verb, arguments->run, {.config = "TOML file with the model's options"});
    return [arguments](Session& session) { return run_train(*arguments, session); };
}

}  // namespace

extern const CommandEntry train{
    .name = "train",
    .summary = "learn a model from a dataset and write it as a run",
    .example = "honeyguide train --model ease --data movies --out runs/ease --set lambda=500",
    .declare = &declare_train,
};

}  // namespace hg::app
