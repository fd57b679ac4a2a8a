// SPDX-License-Identifier: Apache-2.0
// honeyguide gate: may a candidate policy replace the incumbent? Exits 0 promote, 3 hold.
#include "evaluate/gate.hpp"

#include "app/command.hpp"
#include "app/logged_policies.hpp"
#include "app/run_options.hpp"
#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/folder_name.hpp"
#include "policy/knob_actor.hpp"
#include "serve/promotion.hpp"
#include "train/run.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>

namespace hg::app {
namespace {

constexpr int hold_exit_code = 3;
const std::string constants_row = "constant_knobs";  // as simulate run --curves names it

struct GateArguments {
    std::string candidate;
    std::vector<std::string> incumbents;
    LogSource log;
    ServingChange serving;
    std::string out = "decisions";
    std::string few_shot;
    RunOptions run;
    double decisions_per_day = 0;
};

/// decisions/<time>-promote.json: every decision is kept, none overwritten.
std::filesystem::path write_record(const GateArguments& arguments, const nlohmann::json& record) {
    const auto seconds = static_cast<std::time_t>(SystemClock{}.now() / 1000);
    const auto stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
    std::error_code error;
    std::filesystem::create_directories(arguments.out, error);
    if (error) {
        throw Error{
            ErrorCode::unavailable,
            fmt::format(
                "{}: is no folder for decision records: {}", arguments.out, error.message()
            ),
            "name another folder with --out"
        };
    }
    for (int n = 0;; ++n) {
        auto path =
            std::filesystem::path{arguments.out} / fmt::format(
                                                       "{}-{}{}.json",
                                                       stamp,
                                                       record.at("decision").get<std::string>(),
                                                       n > 0 ? fmt::format("-{}", n) : ""
                                                   );
        if (!std::filesystem::exists(path)) {
            write_file_atomic(path, record.dump(2) + "\n");
            return path;
        }
    }
}

/// On a server's database whoever served is the incumbent unless others are named.
std::vector<std::string> incumbents_of(const GateArguments& arguments) {
    if (!arguments.incumbents.empty()) {
        return arguments.incumbents;
    }
    if (data::is_database(arguments.log.path)) {
        return {std::string{served_policy}};
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("{} does not say who is the incumbent", arguments.log.path),
        "name it with --incumbent"
    };
}

nlohmann::json serving_json(const ServingChange& serving) {
    auto json = nlohmann::json::object();
    if (serving.epsilon) {
        json["epsilon"] = *serving.epsilon;
    }
    if (serving.temperature) {
        json["temperature"] = *serving.temperature;
    }
    if (serving.max_candidates) {
        json["candidates"] = *serving.max_candidates;
    }
    if (!serving.policy.empty()) {
        json["knobs_by"] = policy::actor_version(serving.policy);
    }
    return json;
}

void print(
    const GateArguments& arguments, const evaluate::GateRecord& record, const std::string& incumbent
) {
    fmt::print("{}", evaluate::to_text(record));
    if (record.epsilon_advice && data::is_database(arguments.log.path)) {
        fmt::print("a server mixes by more --candidates, --temperature and --epsilon, here too\n");
    } else if (record.epsilon_advice && record.epsilon_advice->on_this_log) {
        fmt::print("here: --epsilon {:.2f}\n", *record.epsilon_advice->on_this_log);
    }
    fmt::print("against: {}\n", incumbent);
}

/// Writes the record of one comparison and tells it; where it lies.
std::string tell(
    const GateArguments& arguments,
    const evaluate::GateRecord& record,
    const std::string& incumbent,
    const LoggedPolicies& judged
) {
    auto json = evaluate::to_json(record);
    json["candidate"] = arguments.candidate;
    json["incumbent"] = incumbent;
    json["serving"] = serving_json(arguments.serving);
    json["log"] = arguments.log.path;
    json["few_shot"] = arguments.few_shot;
    json["notes"] = judged.notes;
    json["seed"] = arguments.run.seed;
    const auto path = write_record(arguments, json);
    if (arguments.run.as_json) {
        json["record"] = path.string();
        fmt::print("{}\n", json.dump());
        return path.string();
    }
    print(arguments, record, incumbent);
    fmt::print("record: {}\n", path.string());
    return path.string();
}

/// What is judged, where a server could be told to serve it: a learned policy, or a run of train on a server's log.
/// Read before the judging, so that nothing is promoted that was not judged.
struct Judged {
    std::filesystem::path folder{};  // empty: nothing that a decision is kept of
    std::string version{};
    std::string run{};
};

Judged judged_of(const GateArguments& arguments) {
    if (!data::is_database(arguments.log.path) || !is_run_of_train(arguments.candidate)) {
        return {};
    }
    const auto run = train::run_version(arguments.candidate);
    const auto& policy = arguments.serving.policy;
    if (policy.empty()) {
        return {.folder = arguments.candidate, .version = run, .run = run};
    }
    return {.folder = policy, .version = policy::actor_version(policy), .run = run};
}

/// `serve --policy` and `serve --fallback` look for it there.
void keep_decision(
    const GateArguments& arguments, const Judged& judged, serve::GateDecision decision
) {
    if (judged.folder.empty()) {
        return;
    }
    decision.version = judged.version;
    decision.run = judged.run;
    decision.serving = serving_json(arguments.serving);
    decision.serving.erase("knobs_by");
    serve::write_decision(judged.folder, decision);
    if (!arguments.run.as_json) {
        fmt::print("decision: {}\n", serve::decision_path(judged.folder).string());
    }
}

/// The run behind an incumbent: "served" is the one that served, where it was one.
std::string run_name(const std::string& policy, const LoggedPolicies& judged) {
    if (policy != served_policy) {
        return folder_name(policy);
    }
    const auto runs = judged.served_runs();
    if (runs.size() != 1) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "--few-shot: {} runs served, none is the incumbent of a curve", runs.size()
            ),
            "name the one to compare with by --incumbent RUN, or judge its decisions: --since DATE"
        };
    }
    return runs.front();
}

/// Of runs by their names; of a run whose knobs a policy chooses, the policy by its own, beside the
/// constants it would replace.
PairedCurves read_curves(const GateArguments& arguments, const std::string& incumbent_run) {
    const auto candidate = folder_name(arguments.candidate);
    if (arguments.serving.policy.empty()) {
        return read_paired_curves(arguments.few_shot, candidate, incumbent_run);
    }
    return read_paired_curves(
        arguments.few_shot,
        folder_name(arguments.serving.policy),
        incumbent_run == candidate ? constants_row : incumbent_run
    );
}

std::optional<PairedCurves> curves_of(
    const GateArguments& arguments, const std::string& incumbent, LoggedPolicies& judged
) {
    if (arguments.few_shot.empty()) {
        return {};
    }
    auto curves = read_curves(arguments, run_name(incumbent, judged));
    for (const auto& note : curves.notes) {
        if (std::ranges::find(judged.notes, note) == judged.notes.end()) {
            judged.notes.push_back(note);
        }
    }
    return curves;
}

/// Before anything is judged: rows that are named here must be in the file.
void check_curves(const GateArguments& arguments, const std::vector<std::string>& incumbents) {
    for (const auto& incumbent : incumbents) {
        if (!arguments.few_shot.empty() && incumbent != served_policy) {
            (void)read_curves(arguments, folder_name(incumbent));
        }
    }
}

int run_gate(const GateArguments& arguments, Session& session) {
    const auto options = arguments.run.settings().read<evaluate::GateOptions>();
    const auto incumbents = incumbents_of(arguments);
    check_curves(arguments, incumbents);
    const auto candidate = judged_of(arguments);
    LogRequest request{
        .log = arguments.log,
        .policies = {arguments.candidate},
        .serving = arguments.serving,
        .seed = arguments.run.seed,
    };
    request.policies.insert(request.policies.end(), incumbents.begin(), incumbents.end());
    auto judged = judge_on_log(request, session.progress, session.stop);
    const auto per_day =
        arguments.decisions_per_day > 0 ? std::optional{arguments.decisions_per_day} : std::nullopt;
    serve::GateDecision decision;
    decision.is_promoted = true;
    decision.incumbents = incumbents;
    for (std::size_t i = 0; i < incumbents.size(); ++i) {
        const auto curves = curves_of(arguments, incumbents[i], judged);
        const auto record = value_or_throw(run_gate_on(
            judged,
            {.options = options,
             .decisions_per_day = per_day,
             .incumbent = i + 1,
             .curves = curves ? &*curves : nullptr}
        ));
        decision.records.push_back(tell(arguments, record, incumbents[i], judged));
        if (record.decision != evaluate::Decision::promote) {
            decision.is_promoted = false;
            decision.sentence = record.sentence;
        }
    }
    keep_decision(arguments, candidate, decision);
    for (const auto& note : judged.notes) {
        if (!arguments.run.as_json) {
            fmt::print("note: {}\n", note);
        }
    }
    return decision.is_promoted ? 0 : hold_exit_code;
}

constexpr std::array sections{OptionSection{"", &describe_options<evaluate::GateOptions>}};

Run declare_gate(CLI::App& verb) {
    auto arguments = std::make_shared<GateArguments>();
    const std::string policy =
        "a run of learn, an agent's name or probabilities.jsonl; on a database a run of train";
    verb.add_option("--candidate", arguments->candidate, policy)->required();
    verb.add_option(
            "--incumbent",
            arguments->incumbents,
            "the same; repeat for more: it must pass against each. On a database whoever served "
            "unless given"
    )
        ->type_size(1)
        ->allow_extra_args(false);
    verb.add_option(
            "--log", arguments->log.path, "impression log, Open Bandit .csv or a server's database"
    )
        ->required();
    declare_log_options(verb, arguments->log);
    declare_serving_options(verb, arguments->serving);
    verb.add_option(
        "--few-shot",
        arguments->few_shot,
        "curves of new users by evaluate --curves (rows named as the runs), with --knobs-by by "
        "simulate run --curves: they must not lose"
    );
    verb.add_option("--out", arguments->out, "folder of decision records")->capture_default_str();
    verb.add_option(
            "--decisions-per-day",
            arguments->decisions_per_day,
            "to say how many days more data takes"
    )
        ->check(CLI::NonNegativeNumber);
    add_run_options(
        verb,
        arguments->run,
        {.config = "TOML file with thresholds",
         .set = "key=value of a threshold; repeat for more",
         .seed = "of folds and draws"}
    );
    return [arguments](Session& session) { return run_gate(*arguments, session); };
}

}  // namespace

extern const CommandEntry gate{
    .name = "gate",
    .summary = "judge a candidate policy on a log before it goes live: 0 promote, 3 hold",
    .example = "honeyguide gate --candidate runs/ppo --incumbent random --log log.jsonl",
    .declare = &declare_gate,
    .settings = sections,
};

}  // namespace hg::app
