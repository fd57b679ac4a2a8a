// SPDX-License-Identifier: Apache-2.0
// honeyguide evaluate: models and runs on held-out events, in one table with paired differences.
#include "app/command.hpp"
#include "app/evaluation.hpp"
#include "app/few_shot_curves.hpp"
#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "app/rating_evaluation.hpp"
#include "app/report.hpp"
#include "app/shipped_configs.hpp"
#include "core/file.hpp"
#include "core/nearest.hpp"
#include "data/transposed.hpp"
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
constexpr std::string_view ratings = "ratings";  // a protocol with rows of its own
constexpr std::string_view rating_baseline = "item_bias";

struct EvaluateArguments {
    std::string data;
    std::vector<std::string> runs;
    std::vector<std::string> models;
    std::vector<std::string> protocols{"leave-one-out"};
    std::vector<std::size_t> contexts;
    std::string queries;
    std::string part = "test";
    std::string tasks = "users";
    std::string repeats = "auto";
    std::string config;
    std::vector<std::string> set;
    std::string baseline{default_baseline};
    std::string challenger;
    std::string shuffled;
    std::vector<std::string> contents;
    std::vector<std::string> metrics;
    std::string report;
    std::string curves;
    std::filesystem::path work;
    ProtocolOptions protocol;
    ScoreOptions score;
    std::uint64_t seed = 7;
    bool is_transfer = false;
    bool as_json = false;
};

/// Contenders with what they borrow.
struct Entrants {
    std::deque<train::LoadedRun> runs;
    std::vector<Contender> contenders;
};

/// `word` is a model, or LABEL=MODEL for a row of another name with settings of its own.
void add_model(Entrants& entrants, const std::string& word, const Settings& all) {
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto model = equals == std::string::npos ? name : word.substr(equals + 1);
    const auto is_there = [&name](const Contender& c) { return c.name == name; };
    if (std::ranges::any_of(entrants.contenders, is_there)) {
        return;
    }
    const auto& entry = train::find_model(model);
    auto settings = all.section(name);
    // A mistyped option is told before anything is fitted.
    (void)train::resolve_settings(entry, settings);
    entrants.contenders.push_back({.name = name, .entry = &entry, .settings = std::move(settings)});
}

/// Tastes move: where the last events are asked for, what was liked of late is the simple row to
/// beat. A month, unless --set recent_popularity.window_days says otherwise; whoever names a row
/// like that has their own.
void add_recent_popularity(Entrants& entrants, const Settings& given) {
    auto settings = given;
    const std::string window = "recent_popularity.window_days";
    if (!settings.values().contains(window)) {
        settings.set(window, "30", "the row itself");
    }
    add_model(entrants, "recent_popularity=popularity", settings);
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

Entrants entrants_of(const EvaluateArguments& arguments) {
    const auto settings = load_config(arguments.config, arguments.set);
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
    if (std::ranges::find(arguments.protocols, "time") != arguments.protocols.end()) {
        add_recent_popularity(entrants, settings);
    }
    for (const auto& folder : arguments.runs) {
        auto& run = entrants.runs.emplace_back(train::load_run(folder));
        entrants.contenders.push_back({.name = run.name, .settings = {}, .run = &run});
        if (arguments.is_transfer) {
            entrants.contenders.back().run_items = RunItems::by_content;
        }
    }
    check_prefixes(settings, entrants);
    return entrants;
}

Repeats parse_repeats(const std::string& word) {
    return word == "mask"    ? Repeats::mask
           : word == "allow" ? Repeats::allow
                             : Repeats::as_dataset_says;
}

/// The vectors of every --content; models that look at them are fitted once for each, as
/// MODEL@CONTENT where there are several.
std::deque<encode::ItemVectors> contents_of(
    const EvaluateArguments& arguments,
    const data::Dataset& dataset,
    Entrants& entrants,
    Session& session
) {
    std::deque<encode::ItemVectors> all;
    const auto read = [&](const std::string& choice) {
        auto content =
            encode::content_for(dataset, arguments.data, choice, session.progress, session.stop);
        if (content) {
            all.push_back(std::move(*content));
        }
    };
    if (arguments.contents.size() < 2) {
        read(arguments.contents.empty() ? "auto" : arguments.contents.front());
        return all;
    }
    for (const auto& choice : arguments.contents) {
        if (choice == "auto" || choice == "none") {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("--content {} beside others", choice),
                "of several, each must be the name of an encoder",
            };
        }
        read(choice);
    }
    std::vector<Contender> contenders;
    for (auto& contender : entrants.contenders) {
        const bool looks =
            contender.entry != nullptr &&
            has(contender.entry->facts, train::Fact::needs_content | train::Fact::uses_content);
        for (std::size_t i = 0; looks && i < all.size(); ++i) {
            auto one = contender;
            one.name = fmt::format("{}@{}", contender.name, arguments.contents[i]);
            one.content = &all[i];
            contenders.push_back(std::move(one));
        }
        if (!looks) {
            contenders.push_back(std::move(contender));
        }
    }
    entrants.contenders = std::move(contenders);
    return all;
}

std::vector<Protocol> protocols_of(
    const EvaluateArguments& arguments, const data::Dataset& dataset
) {
    auto options = arguments.protocol;
    options.part = arguments.part == "validation" ? Part::validation : Part::test;
    options.repeats = parse_repeats(arguments.repeats);
    options.seed = arguments.seed;
    if (!arguments.contexts.empty()) {
        options.contexts = arguments.contexts;
        std::ranges::sort(options.contexts);
        const auto repeated = std::ranges::unique(options.contexts);
        options.contexts.erase(repeated.begin(), repeated.end());
    }
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

/// Before anything is fitted.
void check_curves(const EvaluateArguments& arguments, const std::vector<Protocol>& protocols) {
    const bool has_curve = protocols.size() == 1 && !protocols.front().contexts.empty() &&
                           protocols.front().groups.empty();
    if (!arguments.curves.empty() && !has_curve) {
        throw Error{
            ErrorCode::invalid_argument,
            "--curves: there is not one curve over histories here",
            "ask --protocol few-shot, or --queries FILE, alone",
        };
    }
}

void print(const EvaluateArguments& arguments, const std::vector<Evaluation>& evaluations) {
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

int run_ratings(const EvaluateArguments& arguments, Session& session) {
    if (arguments.protocols.size() > 1 || !arguments.runs.empty() || !arguments.queries.empty() ||
        !arguments.report.empty() || !arguments.curves.empty() || !arguments.work.empty() ||
        !arguments.shuffled.empty() || !arguments.challenger.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "--protocol ratings stands alone: its rows are meta-learners, not rankers",
            "leave --run, --queries, --report, --curves, --work, --shuffled, --challenger and "
            "other "
            "protocols to a second call",
        };
    }
    const auto settings = load_config(arguments.config, arguments.set);
    const auto baseline =
        arguments.baseline == default_baseline ? std::string{rating_baseline} : arguments.baseline;
    (void)policy::find_meta_learner(baseline);
    const auto contenders = rating_contenders(arguments.models, baseline, settings);
    RatingProtocol protocol{
        .folds = arguments.protocol.folds,
        .part = arguments.part == "validation" ? Part::validation : Part::test,
        .max_users = arguments.protocol.max_users,
        .seed = arguments.seed,
        .items = settings.section("items").read<policy::RatingItemOptions>(),
    };
    if (!arguments.contexts.empty()) {
        protocol.contexts = arguments.contexts;
    }
    const Work work{session.progress, session.stop};
    const auto tasks = arguments.tasks == "items" ? RatingTasks::items : RatingTasks::users;
    auto dataset = value_or_throw(data::open_dataset(arguments.data));
    std::string choice = arguments.contents.empty() ? "auto" : arguments.contents.front();
    if (tasks == RatingTasks::items) {
        if (choice != "auto" && choice != "none" && choice != "attributes") {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format(
                    "--tasks items --content {}: encoders are of items, not of users", choice
                ),
                "take --content attributes (the fields of users) or none",
            };
        }
        dataset = data::transposed(dataset);
        choice = choice == "none" ? choice : "attributes";
    }
    const auto content = rating_content(dataset, arguments.data, choice, work);
    const auto evaluation =
        evaluate_ratings(dataset, content.view(), protocol, contenders, baseline, tasks, work);
    if (arguments.as_json) {
        fmt::print("{}\n", to_json(evaluation).dump(2));
    } else {
        fmt::print("{}", to_text(evaluation));
    }
    return 0;
}

int run_evaluate(const EvaluateArguments& arguments, Session& session) {
    if (std::ranges::find(arguments.protocols, ratings) != arguments.protocols.end()) {
        return run_ratings(arguments, session);
    }
    if (arguments.tasks == "items") {
        throw Error{
            ErrorCode::invalid_argument,
            "--tasks items goes with --protocol ratings",
            "leave it out, or evaluate --protocol ratings --tasks items",
        };
    }
    if (arguments.runs.empty() && arguments.models.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "nothing to evaluate",
            "name models to fit (--model ease --model als) or runs to score (--run runs/ease)",
        };
    }
    auto entrants = entrants_of(arguments);
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto contents = contents_of(arguments, dataset, entrants, session);
    if (arguments.baseline != default_baseline) {  // the default may be absent
        check_row("--baseline", arguments.baseline, entrants);
    }
    if (!arguments.challenger.empty()) {
        check_row("--challenger", arguments.challenger, entrants);
    }
    if (!arguments.shuffled.empty()) {
        check_row("--shuffled", arguments.shuffled, entrants);
        std::ranges::find(entrants.contenders, arguments.shuffled, &Contender::name)
            ->is_also_shuffled = true;
    }
    const auto metrics = find_list_metrics(arguments.metrics);
    const auto protocols = protocols_of(arguments, dataset);
    check_curves(arguments, protocols);
    auto score = arguments.score;
    score.seed = arguments.seed;
    score.content = contents.empty() ? nullptr : &contents.front();
    std::vector<Evaluation> evaluations;
    for (std::size_t i = 0; i < protocols.size(); ++i) {
        const auto& protocol = protocols[i];
        if (!arguments.work.empty()) {
            score.work_folder =
                arguments.work / (arguments.queries.empty() ? arguments.protocols[i] : "queries");
        }
        const auto outcomes = run_protocol(
            dataset, protocol, entrants.contenders, score, {session.progress, session.stop}
        );
        if (!arguments.curves.empty()) {
            const auto curves = few_shot_curves(dataset, protocol, outcomes, score.k);
            write_file_atomic(arguments.curves, curves.dump() + "\n");
        }
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
                .metrics = metrics,
            }
        ));
    }
    print(arguments, evaluations);
    if (!arguments.curves.empty() && !arguments.as_json) {
        fmt::print("curves: {}\n", arguments.curves);
    }
    if (!arguments.report.empty()) {
        write_file_atomic(arguments.report, report_html(describe_dataset(dataset), evaluations));
        if (!arguments.as_json) {
            fmt::print("report: {}\n", arguments.report);
        }
    }
    return 0;
}

std::string metric_help() {
    std::string text = "another measure of the lists, or all:";
    for (const auto& metric : list_metrics()) {
        text += fmt::format(" {}", metric.name);
    }
    return text;
}

Run declare_evaluate(CLI::App& verb) {
    auto a = std::make_shared<EvaluateArguments>();
    const auto repeated =
        [&verb](const char* name, std::vector<std::string>& to, const std::string& help) {
            return verb.add_option(name, to, help)->type_size(1)->allow_extra_args(false);
        };
    verb.add_option("--data", a->data, "a raw folder or an ingested dataset")->required();
    repeated(
        "--model",
        a->models,
        "a model to fit on the training part and score, or LABEL=MODEL with --set "
        "LABEL.option=...; "
        "repeat for more"
    );
    repeated("--run", a->runs, "a finished run to score as it is; repeat for more");
    verb.add_flag(
        "--transfer",
        a->is_transfer,
        "runs are of another catalogue: they know the items here by their content (encoder text)"
    );
    repeated(
        "--protocol",
        a->protocols,
        "leave-one-out | ratio | time | few-shot | new-items; repeat for more. ratings: alone, "
        "meta-learners on stars"
    );
    verb.add_option("--queries", a->queries, "ask a file of contexts and targets instead (.jsonl)");
    verb.add_option("--part", a->part, "tune on validation, look at test once")
        ->check(CLI::IsMember({"test", "validation"}))
        ->capture_default_str();
    verb.add_option(
            "--tasks",
            a->tasks,
            "ratings: who is learned from the first ratings; items = how will others rate an item "
            "nobody knew"
    )
        ->check(CLI::IsMember({"users", "items"}))
        ->capture_default_str();
    verb.add_option("--repeats", a->repeats, "mask = never recommend items of the history; allow")
        ->check(CLI::IsMember({"auto", "mask", "allow"}))
        ->capture_default_str();
    verb.add_option("--test-share", a->protocol.test_share, "ratio, time: share of events held out")
        ->capture_default_str();
    verb.add_option("--folds", a->protocol.folds, "few-shot, new-items, ratings: folds over users")
        ->capture_default_str();
    verb.add_option(
            "--contexts",
            a->contexts,
            "lengths of history; few-shot: 0,1,2,5,10, ratings: 1,5,10,20 unless given; new-items: "
            "the "
            "longest"
    )
        ->delimiter(',');
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
            "--new-by", a->protocol.new_by, "new-items: a number field, first-event or random"
    )
        ->capture_default_str();
    verb.add_option(
        "--new-since", a->protocol.new_since, "new-items: items from this value on are new"
    );
    verb.add_option(
            "--new-share",
            a->protocol.new_share,
            "new-items: without --new-since, at least so many of the items"
    )
        ->check(CLI::Range(0.001, 0.9))
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
    repeated("--metric", a->metrics, metric_help());
    verb.add_option("--baseline", a->baseline, "differences are to this row")
        ->capture_default_str();
    verb.add_option(
        "--challenger",
        a->challenger,
        "few-shot, queries: compare this row with the best other one at each length of history"
    );
    verb.add_option(
        "--shuffled",
        a->shuffled,
        "another row: this one asked with the events of somebody else at random, which must tell "
        "it "
        "nothing"
    );
    repeated(
        "--content",
        a->contents,
        "item vectors: auto (default) | none | ENCODER; of several, each gives its own row"
    );
    verb.add_option("--config", a->config, "TOML with a [section] per model");
    repeated("--set", a->set, "MODEL.option=value");
    verb.add_option("--seed", a->seed, "of folds, fits and bootstrap")->capture_default_str();
    verb.add_option(
        "--work",
        a->work,
        "keep what learns by gradients here, fitted or half fitted: the same command goes on after "
        "a "
        "stop or a crash"
    );
    verb.add_option("--report", a->report, "write a self-contained HTML report here");
    verb.add_option(
        "--curves", a->curves, "few-shot, queries: each user's results, for gate --few-shot"
    );
    verb.add_flag("--json", a->as_json, "for machines");
    return [a](Session& session) { return run_evaluate(*a, session); };
}

}  // namespace

extern const CommandEntry evaluate{
    .name = "evaluate",
    .summary = "compare models and runs on held-out events, with intervals",
    .example =
        "honeyguide evaluate --data movies --model ease --model als --protocol leave-one-out",
    .declare = &declare_evaluate,
};

}  // namespace hg::app
