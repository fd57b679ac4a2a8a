// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/fit_world.hpp"

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/run_files.hpp"
#include "core/sealed_json.hpp"
#include "core/utc_time.hpp"
#include "simulate/learned/world_pools.hpp"
#include "train/run.hpp"

#include <fmt/format.h>

#ifndef HG_GIT
#define HG_GIT "unknown"
#endif

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;

FitPlan plan_of(const WorldFitRequest& request, const WorldModel& model) {
    const auto& facts = model.facts;
    return {
        .options = request.options.members,
        .shape = facts.shape,
        .single_click = facts.single_click,
        .mean_steps = facts.mean_steps,
        .items = model.items,
        .users = model.users,
        .value_mean = static_cast<float>(facts.value_mean),
        .value_sd = static_cast<float>(facts.value_sd),
        .seed = request.seed,
        .scratch = request.folder / "members",
        .fingerprint = digest_hex(fmt::format(
            "{} {} {} {}",
            request.seed,
            options_json(request.options).dump(),
            request.table.facts.data_hash,
            request.table.n_decisions()
        )),
    };
}

/// What the data could not tell and what was assumed in its place.
nlohmann::json assumptions_of(const WorldFacts& facts, const WorldFitOptions& options) {
    auto notes = nlohmann::json::array();
    const auto& f = facts.feedback;
    if (f.is_clicks_only) {
        notes.push_back(fmt::format(
            "what was not chosen is unknown: {} items per event drawn by popularity^{} stand for "
            "it, so "
            "click rates are relative to such lists",
            options.negatives,
            options.negative_power
        ));
        notes.push_back("positions were not recorded: the order within a slate has no effect");
    } else if (!f.has_propensities) {
        notes.push_back(
            "no propensities: not corrected for what the logging policy preferred to show"
        );
    } else {
        notes.push_back(fmt::format(
            "corrected for exposure by inverse propensities clipped at {} means",
            options.exposure_clip
        ));
    }
    if (f.has_purchases) {
        notes.push_back(
            "a purchase is a click that went further: P(purchase) = P(click) P(purchase | click)"
        );
    }
    if (!f.session_rule.empty()) {
        notes.push_back(fmt::format("a session ends at {}", f.session_rule));
    }
    if (!f.has_sessions) {
        notes.push_back("nobody was seen leaving: episodes are cut at step_limit");
    }
    return notes;
}

nlohmann::json members_json(const std::vector<MemberResult>& members) {
    auto all = nlohmann::json::array();
    for (const auto& m : members) {
        all.push_back({
            {"family", m.family == Family::feature ? "feature" : "sequence"},
            {"epochs_run", m.epochs_run},
            {"best_epoch", m.best_epoch},
            {"validation_loss", -m.best_validation},
        });
    }
    return all;
}

nlohmann::json rewards_json(const std::vector<RewardFit>& rewards) {
    auto all = nlohmann::json::array();
    for (const auto& r : rewards) {
        all.push_back(
            {{"kind", to_string(r.kind)}, {"rmse", r.rmse}, {"rmse_of_the_mean", r.base_rmse}}
        );
    }
    return all;
}

void write_metrics(train::RunWriter& run, const std::vector<MemberResult>& members) {
    for (std::size_t i = 0; i < members.size(); ++i) {
        for (std::size_t e = 0; e < members[i].validations.size(); ++e) {
            run.metric(
                fmt::format("member{}/validation_loss", i),
                static_cast<std::int64_t>(e) + 1,
                -members[i].validations[e]
            );
        }
    }
}

}  // namespace

FeedbackSplit split_of(
    const FeedbackTable& table, const WorldFitOptions& options, std::uint64_t seed
) {
    return split_feedback(table.n_sequences(), options.holdout, Rng{seed}.split("holdout"));
}

WorldFitReport fit_world(
    const WorldFitRequest& request, ProgressSink& progress, const std::stop_token& stop
) {
    const Stopwatch watch;
    const auto& table = request.table;
    check_feedback(table);
    train::RunWriter run{request.folder};
    const auto split = split_of(table, request.options, request.seed);
    const auto model =
        make_world_pools(table, split, request.options, Rng{request.seed}.split("pools"));
    const auto plan = plan_of(request, model);
    SafetensorsWriter weights;
    WorldFitReport report{
        .n_sequences = table.n_sequences(),
        .n_decisions = table.n_decisions(),
        .members = fit_members(table, split, plan, weights, progress, stop),
    };
    for (const auto& word : request.options.reward_models) {
        const auto kind = parse_reward_kind(word);
        if (table.facts.has_rewards) {
            report.rewards.push_back(fit_reward(kind, table, split, plan, weights, stop));
        }
    }
    save_world_model(model, weights);
    const auto path = request.folder / "weights.safetensors";
    weights.save(path);
    write_metrics(run, report.members);
    report.seconds = watch.seconds();
    const auto file = value_or_throw(MappedFile::open(path));
    nlohmann::json manifest{
        {"format_version", 1},
        {"kind", "world"},
        {"seed", request.seed},
        {"settings", options_json(request.options)},
        {"source", request.source},
        {"world", to_json(model.facts)},
        {"assumptions", assumptions_of(model.facts, request.options)},
        {"members", members_json(report.members)},
        {"rewards", rewards_json(report.rewards)},
        {"sequences",
         {{"train", split.train.size()},
          {"validation", split.validation.size()},
          {"test", split.test.size()}}},
        {"decisions", report.n_decisions},
        {"created", utc_now()},
        {"version", HG_VERSION},
        {"git", HG_GIT},
        {"seconds", report.seconds},
    };
    manifest["files"]["weights.safetensors"] = file_facts(request.folder / "weights.safetensors");
    seal(manifest);
    write_file_atomic(request.folder / "manifest.json", manifest.dump(2) + "\n");
    std::error_code ignored;
    fs::remove_all(plan.scratch, ignored);
    return report;
}

}  // namespace hg::simulate
