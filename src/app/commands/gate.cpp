// SPDX-License-Identifier: Apache-2.0
// honeyguide gate: may a candidate policy replace the incumbent? Exits 0 promote, 3 hold.
#include "evaluate/gate.hpp"

#include "app/command.hpp"
#include "app/logged_policies.hpp"
#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

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
    std::string config;
    std::vector<std::string> set;
    double decisions_per_day = 0;
    std::uint64_t seed = 7;
    bool as_json = false;
};

/// decisions/<time>-promote.json: every decision is kept, none overwritten.
std::filesystem::path write_record(const Arguments& arguments, const nlohmann::json& record) {
    const auto seconds = static_cast<std::time_t>(SystemClock{}.now() / 1000);
    const auto stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
    std::filesystem::create_directories(arguments.out);
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
    const auto config = arguments.config.empty() ? std::nullopt : std::optional{arguments.config};
    const auto options = load_settings(config, arguments.set).read<evaluate::GateOptions>();
    const auto judged =
        judge_on_log(arguments.log, {arguments.candidate, arguments.incumbent}, arguments.seed);
    const auto per_day =
        arguments.decisions_per_day > 0 ? std::optional{arguments.decisions_per_day} : std::nullopt;
    const auto record = value_or_throw(run_gate_on(judged, options, per_day));
    auto json = evaluate::to_json(record);
    json["candidate"] = arguments.candidate;
    json["incumbent"] = arguments.incumbent;
    json["log"] = arguments.log;
    json["seed"] = arguments.seed;
    const auto path = write_record(arguments, json);
    if (arguments.as_json) {
        json["record"] = path.string();
        fmt::print("{}\n", json.dump());
    } else {
        fmt::print("{}record: {}\n", evaluate::to_text(record), path.string());
    }
    return record.decision == evaluate::Decision::promote ? 0 : hold_exit_code;
}

Run declare(CLI::App& verb) {
    auto arguments = std::make_shared<Arguments>();
    const std::string policy = "a run of learn, an agent's name or probabilities.jsonl";
    verb.add_option("--candidate", arguments->candidate, policy)->required();
    verb.add_option("--incumbent", arguments->incumbent, policy)->required();
    verb.add_option("--log", arguments->log, "impression log, or an Open Bandit .csv")->required();
    verb.add_option("--out", arguments->out, "folder of decision records")->capture_default_str();
    verb.add_option(
        "--decisions-per-day", arguments->decisions_per_day, "to say how many days more data takes"
    );
    verb.add_option("--config", arguments->config, "TOML file with thresholds");
    verb.add_option("--set", arguments->set, "key=value of a threshold; repeat for more")
        ->type_size(1)
        ->allow_extra_args(false);
    verb.add_option("--seed", arguments->seed, "of folds and draws")->capture_default_str();
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) { return run(*arguments, session); };
}

}  // namespace

extern const CommandEntry gate{
    .name = "gate",
    .summary = "judge a candidate policy on a log before it goes live: 0 promote, 3 hold",
    .example = "honeyguide gate --candidate runs/ppo --incumbent random --log log.jsonl",
    .declare = &declare,
};

}  // namespace hg::app
