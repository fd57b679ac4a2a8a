// SPDX-License-Identifier: Apache-2.0
// honeyguide gate: may a candidate policy replace the incumbent? Exits 0 promote, 3 hold.
#include "evaluate/gate.hpp"

#include "app/command.hpp"
#include "app/logged_policies.hpp"
#include "app/run_options.hpp"
#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <filesystem>
#include <memory>

namespace hg::app {
namespace {

constexpr int hold_exit_code = 3;

struct Arguments {
    std::string candidate;
    std::vector<std::string> incumbents;
    LogSource log;
    ServingChange serving;
    std::string out = "decisions";
    RunOptions run;
    double decisions_per_day = 0;
};

/// decisions/<time>-promote.json: every decision is kept, none overwritten.
std::filesystem::path write_record(const Arguments& arguments, const nlohmann::json& record) {
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
std::vector<std::string> incumbents_of(const Arguments& arguments) {
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
    return json;
}

void print(
    const Arguments& arguments, const evaluate::GateRecord& record, const std::string& incumbent
) {
    fmt::print("{}", evaluate::to_text(record));
    if (record.epsilon_advice && data::is_database(arguments.log.path)) {
        fmt::print("a server mixes by more --candidates, --temperature and --epsilon, here too\n");
    } else if (record.epsilon_advice && record.epsilon_advice->on_this_log) {
        fmt::print("here: --epsilon {:.2f}\n", *record.epsilon_advice->on_this_log);
    }
    fmt::print("against: {}\n", incumbent);
}

/// Writes the record of one comparison and tells it.
void tell(
    const Arguments& arguments,
    const evaluate::GateRecord& record,
    const std::string& incumbent,
    const LoggedPolicies& judged
) {
    auto json = evaluate::to_json(record);
    json["candidate"] = arguments.candidate;
    json["incumbent"] = incumbent;
    json["serving"] = serving_json(arguments.serving);
    json["log"] = arguments.log.path;
    json["notes"] = judged.notes;
    json["seed"] = arguments.run.seed;
    const auto path = write_record(arguments, json);
    if (arguments.run.as_json) {
        json["record"] = path.string();
        fmt::print("{}\n", json.dump());
        return;
    }
    print(arguments, record, incumbent);
    fmt::print("record: {}\n", path.string());
}

int run(const Arguments& arguments, Session& session) {
    const auto options = arguments.run.settings().read<evaluate::GateOptions>();
    const auto incumbents = incumbents_of(arguments);
    LogRequest request{
        .log = arguments.log,
        .policies = {arguments.candidate},
        .serving = arguments.serving,
        .seed = arguments.run.seed,
    };
    request.policies.insert(request.policies.end(), incumbents.begin(), incumbents.end());
    const auto judged = judge_on_log(request, session.progress, session.stop);
    const auto per_day =
        arguments.decisions_per_day > 0 ? std::optional{arguments.decisions_per_day} : std::nullopt;
    bool is_promoted = true;
    for (std::size_t i = 0; i < incumbents.size(); ++i) {
        const auto record = value_or_throw(run_gate_on(judged, options, per_day, i + 1));
        tell(arguments, record, incumbents[i], judged);
        is_promoted = is_promoted && record.decision == evaluate::Decision::promote;
    }
    for (const auto& note : judged.notes) {
        if (!arguments.run.as_json) {
            fmt::print("note: {}\n", note);
        }
    }
    return is_promoted ? 0 : hold_exit_code;
}

constexpr std::array sections{OptionSection{"", &describe_options<evaluate::GateOptions>}};

Run declare(CLI::App& verb) {
    auto arguments = std::make_shared<Arguments>();
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
    return [arguments](Session& session) { return run(*arguments, session); };
}

}  // namespace

extern const CommandEntry gate{
    .name = "gate",
    .summary = "judge a candidate policy on a log before it goes live: 0 promote, 3 hold",
    .example = "honeyguide gate --candidate runs/ppo --incumbent random --log log.jsonl",
    .declare = &declare,
    .settings = sections,
};

}  // namespace hg::app
