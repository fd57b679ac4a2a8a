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
    std::string incumbent;
    std::string log;
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

int run(const Arguments& arguments, Session& /*session*/) {
    const auto options = arguments.run.settings().read<evaluate::GateOptions>();
    const auto judged =
        judge_on_log(arguments.log, {arguments.candidate, arguments.incumbent}, arguments.run.seed);
    const auto per_day =
        arguments.decisions_per_day > 0 ? std::optional{arguments.decisions_per_day} : std::nullopt;
    const auto record = value_or_throw(run_gate_on(judged, options, per_day));
    auto json = evaluate::to_json(record);
    json["candidate"] = arguments.candidate;
    json["incumbent"] = arguments.incumbent;
    json["log"] = arguments.log;
    json["seed"] = arguments.run.seed;
    const auto path = write_record(arguments, json);
    if (arguments.run.as_json) {
        json["record"] = path.string();
        fmt::print("{}\n", json.dump());
    } else {
        fmt::print("{}record: {}\n", evaluate::to_text(record), path.string());
    }
    return record.decision == evaluate::Decision::promote ? 0 : hold_exit_code;
}

constexpr std::array sections{OptionSection{"", &describe_options<evaluate::GateOptions>}};

Run declare(CLI::App& verb) {
    auto arguments = std::make_shared<Arguments>();
    const std::string policy = "a run of learn, an agent's name or probabilities.jsonl";
    verb.add_option("--candidate", arguments->candidate, policy)->required();
    verb.add_option("--incumbent", arguments->incumbent, policy)->required();
    verb.add_option("--log", arguments->log, "impression log, or an Open Bandit .csv")->required();
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
