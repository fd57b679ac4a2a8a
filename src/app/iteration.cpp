// SPDX-License-Identifier: Apache-2.0
#include "app/iteration.hpp"

#include "app/feedback_source.hpp"
#include "app/logged_policies.hpp"
#include "core/clock.hpp"
#include "core/file.hpp"
#include "policy/explorer.hpp"
#include "policy/impressions.hpp"
#include "policy/learn.hpp"
#include "policy/play.hpp"
#include "simulate/learned/open_world.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <functional>
#include <map>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t users_side_by_side = 100;
constexpr std::size_t judged_episodes = 1000;  // the truth a round is compared with

double metric_of(const policy::PlayResult& played, const std::string& name) {
    const std::map<std::string, double> metrics{
        {"return", played.mean_return.value},
        {"click_rate", played.click_rate.value},
        {"length", played.length.value},
        {"coverage", played.coverage},
        {"diversity", played.diversity.value},
    };
    const auto found = metrics.find(name);
    if (found == metrics.end()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("unknown metric \"{}\"", name),
            "use return, click_rate, length, coverage or diversity"
        };
    }
    return found->second;
}

nlohmann::json to_json(const Round& round) {
    return {
        {"number", round.number},
        {"decision", round.decision},
        {"reason", round.reason},
        {"predicted_return", round.predicted_return},
        {"incumbent_metric", round.incumbent_metric},
        {"candidate_metric", round.candidate_metric},
        {"was_right", round.was_right},
        {"started_from", round.started_from},
        {"seconds", round.seconds},
    };
}

Round round_from(const nlohmann::json& json) {
    return {
        .number = json.at("number"),
        .decision = json.at("decision"),
        .reason = json.at("reason"),
        .predicted_return = json.at("predicted_return"),
        .incumbent_metric = json.at("incumbent_metric"),
        .candidate_metric = json.at("candidate_metric"),
        .was_right = json.at("was_right"),
        .started_from = json.value("started_from", ""),
        .seconds = json.at("seconds"),
    };
}

class Loop {
  public:
    Loop(const IterationRequest& request, ProgressSink& progress, const std::stop_token& stop)
        : request_(request), progress_(progress), stop_(stop), policy_(request.first_policy) {
        world_ = open_world(request.world, request.settings.world, users_side_by_side).batch;
    }

    IterationResult run(const RoundSink& tell) {
        IterationResult result{.rounds = {}, .policy = policy_, .metric = 0, .stopped_by = ""};
        result.metric = truth(policy_);
        std::int64_t held = 0;
        result.stopped_by = "max_iterations";
        for (std::int64_t n = 1; n <= request_.max_iterations; ++n) {
            if (result.metric >= request_.target) {
                result.stopped_by = "target";
                break;
            }
            const auto round = one_round(n);
            tell(round);
            const bool promoted = round.decision == "promote";
            last_was_worse_ = round.reason == "worse";
            held = promoted ? 0 : held + 1;
            if (promoted) {
                policy_ = agent_folder(n).string();
                result.metric = round.candidate_metric;
            }
            result.rounds.push_back(round);
            result.policy = policy_;
            if (held >= request_.patience) {
                result.stopped_by = "gate";
                break;
            }
        }
        if (result.metric >= request_.target) {
            result.stopped_by = "target";
        }
        return result;
    }

  private:
    [[nodiscard]] fs::path round_folder(std::int64_t n) const {
        return request_.folder / fmt::format("round-{}", n);
    }

    [[nodiscard]] fs::path agent_folder(std::int64_t n) const { return round_folder(n) / "agent"; }

    Round one_round(std::int64_t n) {
        const auto folder = round_folder(n);
        const auto record = folder / "round.json";
        std::error_code error;
        if (fs::exists(record, error)) {
            return round_from(nlohmann::json::parse(value_or_throw(read_file(record))));
        }
        fs::create_directories(folder);
        const Stopwatch watch;
        Round round{.number = n};
        collect(n);
        learn_world(n);
        round.started_from = weights_before(n).string();
        learn_agent(n, round.started_from);
        judge(n, round);
        round.predicted_return = predicted(n);
        round.incumbent_metric = truth(policy_);
        round.candidate_metric = truth(agent_folder(n).string());
        const bool is_worse = round.candidate_metric < 0.98 * round.incumbent_metric;
        round.was_right = (round.decision == "promote") != is_worse;
        round.seconds = watch.seconds();
        write_file_atomic(record, to_json(round).dump(2) + "\n");
        return round;
    }

    /// The policy in charge acts, with an epsilon of uniform slots; its log.
    void collect(std::int64_t n) {
        const auto path = round_folder(n) / "log.jsonl";
        if (fs::exists(path)) {
            return;
        }
        auto player = load(policy_);
        policy::Explorer explorer{*player.agent, request_.epsilon};
        const auto unfinished = round_folder(n) / "log.jsonl.tmp-partial";
        {
            std::ofstream out{unfinished, std::ios::binary};
            policy::ImpressionRecorder recorder{out, player.name, world_->facts()};
            const policy::PlayOptions options{
                .episodes = request_.log_episodes,
                .seed = request_.seed + 1000 * static_cast<std::uint64_t>(n),
                .mode = policy::Mode::exploit,
                .session_tokens = player.session_tokens,
            };
            (void)policy::play(*world_, explorer, options, std::ref(recorder), stop_);
        }
        check_stop(n, "collecting");
        fs::rename(unfinished, path);
    }

    void learn_world(std::int64_t n) {
        const auto folder = round_folder(n) / "world";
        if (fs::exists(folder / "manifest.json")) {
            return;
        }
        const simulate::WorldFitOptions options;
        const auto source = read_feedback(
            "", (round_folder(n) / "log.jsonl").string(), options, request_.seed, progress_, stop_
        );
        (void)simulate::fit_world(
            {.table = source.table,
             .options = options,
             .seed = request_.seed,
             .folder = folder,
             .source = source.facts},
            progress_,
            stop_
        );
    }

    /// Empty = first weights.
    [[nodiscard]] fs::path weights_before(std::int64_t n) const {
        const auto& entry = policy::find_agent(request_.agent);
        if (request_.begins_anew || !policy::has(entry.facts, policy::AgentFact::uses_network)) {
            return {};
        }
        if (n > 1 && !last_was_worse_) {
            return agent_folder(n - 1);
        }
        std::error_code error;
        const fs::path in_charge{policy_};
        const bool is_ours =
            fs::equivalent(in_charge.parent_path().parent_path(), request_.folder, error);
        return is_ours ? in_charge : fs::path{};
    }

    void learn_agent(std::int64_t n, const fs::path& begin_with) {
        if (fs::exists(agent_folder(n) / "manifest.json")) {
            return;
        }
        const auto world = open_world((round_folder(n) / "world").string(), {}, 1);
        const policy::LearnRequest request{
            .entry = policy::find_agent(request_.agent),
            .agent_settings = request_.settings.agent,
            .options = request_.settings.learn.read<policy::LearnOptions>(),
            .seed = request_.seed + static_cast<std::uint64_t>(n),
            .world = *world.batch,
            .held_out = *world.batch,
            .world_facts = world.facts,
            .folder = agent_folder(n),
            .start_from = begin_with.string(),
            .item_texts = world_->facts().item_texts,
        };
        (void)policy::learn_run(request, progress_, stop_);
    }

    void judge(std::int64_t n, Round& round) {
        const auto judged = judge_on_log(
            {.log = {.path = (round_folder(n) / "log.jsonl").string()},
             .policies = {agent_folder(n).string(), policy_},
             .seed = request_.seed},
            progress_,
            stop_
        );
        const auto record = value_or_throw(run_gate_on(judged));
        round.decision = evaluate::to_string(record.decision);
        round.reason = evaluate::to_string(record.reason);
        write_file_atomic(
            round_folder(n) / "decision.json", evaluate::to_json(record).dump(2) + "\n"
        );
    }

    double predicted(std::int64_t n) {
        const auto manifest =
            nlohmann::json::parse(value_or_throw(read_file(agent_folder(n) / "manifest.json")));
        return manifest.at("fit").at("best_return");
    }

    double truth(const std::string& policy) {
        auto player = load(policy);
        const policy::PlayOptions options{
            .episodes = judged_episodes,
            .seed = request_.seed ^ 0x7247ULL,
            .session_tokens = player.session_tokens,
        };
        return metric_of(policy::play(*world_, *player.agent, options, {}, stop_), request_.metric);
    }

    policy::LoadedAgent load(const std::string& policy) {
        return policy::load_agent(policy, world_->facts(), {}, request_.seed);
    }

    void check_stop(std::int64_t n, std::string_view what) const {
        if (stop_.stop_requested()) {
            throw Error{
                ErrorCode::interrupted,
                fmt::format("stopped in round {} while {}", n, what),
                "the same command goes on from there"
            };
        }
    }

    const IterationRequest& request_;
    ProgressSink& progress_;
    const std::stop_token& stop_;
    std::string policy_;
    bool last_was_worse_ = false;  // the candidate of the round before
    std::unique_ptr<simulate::EnvironmentBatch> world_;
};

}  // namespace

IterationResult iterate(
    const IterationRequest& request,
    ProgressSink& progress,
    const std::stop_token& stop,
    const RoundSink& tell
) {
    return Loop{request, progress, stop}.run(tell);
}

}  // namespace hg::app
