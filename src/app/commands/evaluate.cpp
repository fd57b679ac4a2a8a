// SPDX-License-Identifier: Apache-2.0
// honeyguide evaluate: models and runs on held-out events, in one table with paired differences.
#include "app/command.hpp"
#include "app/evaluation.hpp"
#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "app/report.hpp"
#include "core/file.hpp"
#include "core/nearest.hpp"
#include "encode/vector_store.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

namespace hg::app {
namespace {

constexpr std::string_view default_baseline = "popularity";

struct Arguments {
    std::string data;
    std::vector<std::string> runs;
    std::vector<std::string> models;
    std::vector<std::string> protocols{"leave-one-out"};
    std::string queries;
    std::string part = "test";
    std::string repeats = "auto";
    std::string config;
    std::vector<std::string> set;
    std::string baseline{default_baseline};
    std::string challenger;
    std::string content = "auto";
    std::string report;
    ProtocolOptions protocol;
    ScoreOptions score;
    std::uint64_t seed = 7;
    bool as_json = false;
};

/// Contenders with what they borrow.
struct Entrants {
    std::deque<train::LoadedRun> runs;
    std::vector<Contender> contenders;
};

/// `row`: MODEL, or NAME=MODEL for a row of its own name and settings.
void add_model(Entrants& entrants, const std::string& row, const Settings& all) {
    const auto name = row.substr(0, row.find('='));
    const auto is_there = [&name](const Contender& c) { return c.name == name; };
    if (std::ranges::any_of(entrants.contenders, is_there)) {
        return;
    }
    const auto& entry = train::find_model(row.substr(row.find('=') + 1));  // all, without a '='
    auto settings = all.section(name);
    (void)train::resolve_settings(
        entry, settings
    );  // a mistyped option is told before anything is fitted
    entrants.contenders.push_back({.name = name, .entry = &entry, .settings = std::move(settings)});
}

/// The option names a row.
void check_row(std::string_view option, const std::string& row, const Entrants& entrants) {
    std::vector<std::string_view> names;
    for (const auto& contender : entrants.contenders) {
        names.emplace_back(contender.name);
    }
    if (std::ranges::find(names, row) == names.end()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{} {}: no such row", option, row),
            suggest(row, names),
        };
    }
}

/// `--set` keys start with the name of a model of this evaluation: ease.lambda=500.
void check_prefixes(const Settings& settings, const Entrants& entrants) {
    for (const auto& [key, value] : settings.values()) {
        if (value.origin.starts_with("HG_SET_")) {
            continue;
        }  // the environment may serve other verbs
        const auto prefix = key.substr(0, key.find('.'));
        const auto is_named = [&prefix](const Contender& c) { return c.name == prefix; };
        if (key.find('.') == std::string::npos ||
            !std::ranges::any_of(entrants.contenders, is_named)) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{}: \"{}\" names no model of this evaluation", value.origin, key),
                "write MODEL.option=value, e.g. --set ease.lambda=500 with --model ease",
            };
        }
    }
}

Entrants entrants_of(const Arguments& arguments) {
    const auto config = arguments.config.empty()
                            ? std::nullopt
                            : std::optional<std::filesystem::path>{arguments.config};
    const auto settings = load_settings(config, arguments.set);
    Entrants entrants;
    // A baseline that is itself a registered model is fitted too, unless a run has its name.
    for (const auto* entry : train::models()) {
        if (entry->name == arguments.baseline) {
            add_model(entrants, arguments.baseline, settings);
        }
    }
    for (const auto& name : arguments.models) {
        add_model(entrants, name, settings);
    }
    for (const auto& folder : arguments.runs) {
        auto& run = entrants.runs.emplace_back(train::load_run(folder));
        entrants.contenders.push_back({.name = run.name, .settings = {}, .run = &run});
    }
    check_prefixes(settings, entrants);
    return entrants;
}

Repeats parse_repeats(const std::string& word) {
    return word == "mask"    ? Repeats::mask
           : word == "allow" ? Repeats::allow
                             : Repeats::as_dataset_says;
}

std::vector<Protocol> protocols_of(const Arguments& arguments, const data::Dataset& dataset) {
    auto options = arguments.protocol;
    options.part = arguments.part == "validation" ? Part::validation : Part::test;
    options.repeats = parse_repeats(arguments.repeats);
    options.seed = arguments.seed;
    std::vector<Protocol> protocols;
    if (!arguments.queries.empty()) {
        protocols.push_back(read_protocol(dataset, arguments.queries, options));
        return protocols;
    }
    for (const auto& name : arguments.protocols) {
        options.kind = parse_protocol(name);
        protocols.push_back(make_protocol(dataset, options));
    }
    return protocols;
}

void print(const Arguments& arguments, const std::vector<Evaluation>& evaluations) {
    if (!arguments.as_json) {
        for (const auto& evaluation : evaluations) {
            fmt::print("{}\n", to_text(evaluation));
        }
        return;
    }
    if (evaluations.size() == 1) {
        fmt::print("{}\n", to_json(evaluations.front()).dump(2));
        return;
    }
    auto all = nlohmann::json::array();
    for (const auto& evaluation : evaluations) {
        all.push_back(to_json(evaluation));
    }
    fmt::print("{}\n", all.dump(2));
}

int run(const Arguments& arguments, Session& session) {
    if (arguments.runs.empty() && arguments.models.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "nothing to evaluate",
            "name models to fit (--model ease --model als) or runs to score (--run runs/ease)",
        };
    }
    const auto entrants = entrants_of(arguments);
    if (arguments.baseline != default_baseline) {  // the default may be absent
        check_row("--baseline", arguments.baseline, entrants);
    }
    if (!arguments.challenger.empty()) {
        check_row("--challenger", arguments.challenger, entrants);
    }
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto protocols = protocols_of(arguments, dataset);
    const auto content = encode::content_for(
        dataset, arguments.data, arguments.content, session.progress, session.stop
    );
    auto score = arguments.score;
    score.seed = arguments.seed;
    score.content = content ? &*content : nullptr;
    std::vector<Evaluation> evaluations;
    for (const auto& protocol : protocols) {
        const auto outcomes = run_protocol(
            dataset, protocol, entrants.contenders, score, {session.progress, session.stop}
        );
        evaluations.push_back(summarise(
            dataset,
            protocol,
            outcomes,
            {
                .k = score.k,
                .sampled_negatives = score.sampled_negatives,
                .baseline = arguments.baseline,
                .challenger = arguments.challenger,
                .seed = arguments.seed,
                .content = score.content,
            }
        ));
    }
    print(arguments, evaluations);
    if (!arguments.report.empty()) {
        write_file_atomic(arguments.report, report_html(describe_dataset(dataset), evaluations));
        if (!arguments.as_json) {
            fmt::print("report: {}\n", arguments.report);
        }
    }
    return 0;
}

Run declare(CLI::App& verb) {
    auto a = std::make_shared<Arguments>();
    const auto repeated =
        [&verb](const char* name, std::vector<std::string>& to, const char* help) {
            return verb.add_option(name, to, help)->type_size(1)->allow_extra_args(false);
        };
    verb.add_option("--data", a->data, "a raw folder or an ingested dataset")->required();
    repeated(
        "--model",
        a->models,
        "a model to fit on the training part and score; NAME=MODEL for a second one with settings "
        "of "
        "its own; repeat for more"
    );
    repeated("--run", a->runs, "a finished run to score as it is; repeat for more");
    repeated(
        "--protocol", a->protocols, "leave-one-out | ratio | time | few-shot; repeat for more"
    );
    verb.add_option("--queries", a->queries, "ask a file of contexts and targets instead (.jsonl)");
    verb.add_option("--part", a->part, "tune on validation, look at test once")
        ->check(CLI::IsMember({"test", "validation"}))
        ->capture_default_str();
    verb.add_option("--repeats", a->repeats, "mask = never recommend items of the history; allow")
        ->check(CLI::IsMember({"auto", "mask", "allow"}))
        ->capture_default_str();
    verb.add_option("--test-share", a->protocol.test_share, "ratio, time: share of events held out")
        ->capture_default_str();
    verb.add_option("--folds", a->protocol.folds, "few-shot: folds over users")
        ->capture_default_str();
    verb.add_option("--contexts", a->protocol.contexts, "few-shot: lengths of history")
        ->delimiter(',')
        ->capture_default_str();
    verb.add_option(
            "--targets", a->protocol.max_targets, "few-shot: items to find after the context"
    )
        ->capture_default_str();
    verb.add_option(
            "--orders",
            a->protocol.orders,
            "few-shot, time = \"none\": ask each user in so many orders of the events"
    )
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    verb.add_option(
        "--max-users", a->protocol.max_users, "ask only so many users, drawn at random"
    );
    verb.add_option("-k,--k", a->score.k, "length of the lists")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb.add_option(
        "--sampled",
        a->score.sampled_negatives,
        "rank against so many random items only: another scale, labelled"
    );
    verb.add_option("--baseline", a->baseline, "differences are to this row")
        ->capture_default_str();
    verb.add_option(
        "--challenger",
        a->challenger,
        "few-shot, queries: compare this row with the best other one at each length of history"
    );
    verb.add_option("--content", a->content, "item vectors: auto | none | ENCODER")
        ->capture_default_str();
    verb.add_option("--config", a->config, "TOML with a [section] per model");
    repeated("--set", a->set, "MODEL.option=value");
    verb.add_option("--seed", a->seed, "of folds, fits and bootstrap")->capture_default_str();
    verb.add_option("--report", a->report, "write a self-contained HTML report here");
    verb.add_flag("--json", a->as_json, "for machines");
    return [a](Session& session) { return run(*a, session); };
}

}  // namespace

extern const CommandEntry evaluate{
    .name = "evaluate",
    .summary = "compare models and runs on held-out events, with intervals",
    .example =
        "honeyguide evaluate --data movies --model ease --model als --protocol leave-one-out",
    .declare = &declare,
};

}  // namespace hg::app
