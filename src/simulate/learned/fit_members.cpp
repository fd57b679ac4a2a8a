// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/fit_members.hpp"

#include "encode/tensor_io.hpp"
#include "simulate/learned/feedback_tensors_net.hpp"
#include "simulate/learned/hazard.hpp"
#include "simulate/learned/member_net.hpp"
#include "simulate/learned/member_trainee_net.hpp"
#include "train/trainer.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;

std::vector<std::uint32_t> bootstrap(const std::vector<std::uint32_t>& sequences, Rng rng) {
    std::vector<std::uint32_t> drawn(sequences.size());
    for (auto& s : drawn) {
        s = sequences[rng.below(sequences.size())];
    }
    return drawn;
}

struct FittedMember {
    std::shared_ptr<MemberNet> net;
    MemberResult result;
    Hazard hazard;
    std::vector<float> staying;  // residuals of values
    std::vector<float> leaving;
};

/// What the threads share.
struct Work {
    const FeedbackTable& table;
    const FeedbackSplit& split;
    const FitPlan& plan;
    const FeedbackTensors& data;
    const std::stop_token& stop;
    std::vector<FittedMember> members;
    std::atomic<std::size_t> next = 0;
    std::mutex mutex{};  // of what follows
    std::condition_variable changed{};
    std::size_t n_done = 0;
    std::size_t n_threads = 0;  // still running
    std::exception_ptr error{};
};

fs::path member_path(const FitPlan& plan, std::size_t index) {
    return plan.scratch / fmt::format("member{}.safetensors", index);
}

void save_member(SafetensorsWriter& writer, const std::string& prefix, const FittedMember& m) {
    for (const auto& p : m.net->named_parameters()) {
        encode::add_tensor(writer, prefix + p.key(), p.value());
    }
    writer.add(
        prefix + "leave.weight",
        MatrixView<const float>{m.hazard.weights.data(), 1, m.hazard.weights.size()}
    );
    writer.add(prefix + "leave.bias", std::span<const float>{&m.hazard.bias, 1});
    writer.add(prefix + "residuals_staying", std::span<const float>{m.staying});
    writer.add(prefix + "residuals_leaving", std::span<const float>{m.leaving});
}

void keep(const Work& work, std::size_t index) {
    if (work.plan.scratch.empty()) {
        return;
    }
    const auto& member = work.members[index];
    SafetensorsWriter writer;
    save_member(writer, "", member);
    std::vector<double> facts{
        static_cast<double>(member.result.epochs_run), static_cast<double>(member.result.best_epoch)
    };
    writer.add("facts", std::span<const double>{facts});
    writer.add("validations", std::span<const double>{member.result.validations});
    writer.add_metadata("fingerprint", work.plan.fingerprint);
    writer.save(member_path(work.plan, index));
}

/// A member finished before an interrupt.
bool take_up(Work& work, std::size_t index) {
    std::error_code ignored;
    const auto path = member_path(work.plan, index);
    if (work.plan.scratch.empty() || !fs::exists(path, ignored)) {
        return false;
    }
    const auto file = SafetensorsFile::open(path);
    const auto has = [&](const char* key) {
        return file && file->metadata().contains(key) &&
               file->metadata().at(key) == work.plan.fingerprint;
    };
    if (!has("fingerprint")) {
        return false;
    }
    auto& member = work.members[index];
    const at::NoGradGuard no_grad;
    for (auto& p : member.net->named_parameters()) {
        encode::copy_tensor(*file, p.key(), p.value());
    }
    const auto leave = value_or_throw(file->values<float>("leave.weight"));
    member.hazard.weights.assign(leave.begin(), leave.end());
    member.hazard.bias = value_or_throw(file->values<float>("leave.bias")).front();
    const auto staying = value_or_throw(file->values<float>("residuals_staying"));
    const auto leaving = value_or_throw(file->values<float>("residuals_leaving"));
    member.staying.assign(staying.begin(), staying.end());
    member.leaving.assign(leaving.begin(), leaving.end());
    const auto facts = value_or_throw(file->values<double>("facts"));
    const auto validations = value_or_throw(file->values<double>("validations"));
    member.result.epochs_run = static_cast<std::int64_t>(facts[0]);
    member.result.best_epoch = static_cast<std::int64_t>(facts[1]);
    member.result.validations.assign(validations.begin(), validations.end());
    member.result.best_validation = std::ranges::max(member.result.validations);
    return true;
}

void fit_leaving(
    const Work& work, MemberTrainee& trainee, FittedMember& member, const Rng& stream
) {
    if (!work.table.facts.has_sessions) {
        const auto n = work.plan.shape.leave_input(member.result.family);
        member.hazard = {.weights = std::vector<float>(n), .bias = -30};
        return;
    }
    const auto rng = stream.split("hazard");
    member.hazard = fit_hazard(
        trainee.hazard_rows(trainee.sequences(), rng),
        trainee.hazard_rows(work.split.validation, rng)
    );
}

void fit_one(Work& work, std::size_t index) {
    auto& member = work.members[index];
    const auto& o = work.plan.options;
    const auto stream = Rng{work.plan.seed}.split("member").split(index);
    MemberTrainee trainee{
        *member.net,
        work.data,
        work.table,
        work.plan,
        bootstrap(work.split.train, stream.split("bootstrap")),
        work.split.validation,
    };
    SilentProgress silent;
    const data::Dataset none;
    const auto result = train::train(
        trainee,
        {
            .label = "member",
            .epochs = o.epochs,
            .batch_size = o.batch_decisions,
            .patience = o.patience,
            .learning_rate = o.learning_rate,
            .weight_decay = o.weight_decay,
            .clip_norm = 5,
        },
        {
            .dataset = none,
            .log = none.log,
            .content = nullptr,
            .rng = stream.split("training"),
            .progress = silent,
            .stop = work.stop,
        }
    );
    member.result.epochs_run = result.epochs_run;
    member.result.best_epoch = result.best_epoch;
    member.result.best_validation = result.best_validation.value_or(0);
    member.result.validations = trainee.validations();
    const auto& unseen = work.split.validation.empty() ? work.split.train : work.split.validation;
    member.staying = trainee.value_residuals(unseen, 0);
    member.leaving = trainee.value_residuals(unseen, 1);
    fit_leaving(work, trainee, member, stream);
    keep(work, index);
}

/// One thread of fitting: takes members until there are none.
void fit_some(Work& work) {
    at::set_num_threads(1);  // of this thread: members are the parallel work
    try {
        for (auto i = work.next++; i < work.members.size(); i = work.next++) {
            if (!take_up(work, i)) {
                fit_one(work, i);
            }
            const std::scoped_lock lock{work.mutex};
            ++work.n_done;
            work.changed.notify_all();
        }
    } catch (...) {
        const std::scoped_lock lock{work.mutex};
        work.error = work.error ? work.error : std::current_exception();
        work.next = work.members.size();
    }
    const std::scoped_lock lock{work.mutex};
    --work.n_threads;
    work.changed.notify_all();
}

std::vector<FittedMember> start_members(const FitPlan& plan) {
    std::vector<FittedMember> members;
    const auto n = plan.options.feature_members + plan.options.sequence_members;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto family = i < plan.options.feature_members ? Family::feature : Family::sequence;
        torch::manual_seed(Rng{plan.seed}.split("weights").split(static_cast<std::uint64_t>(i))());
        FittedMember member;
        member.net = std::make_shared<MemberNet>(plan.shape, family);
        member.result.family = family;
        members.push_back(std::move(member));
    }
    return members;
}

}  // namespace

std::vector<MemberResult> fit_members(
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const FitPlan& plan,
    SafetensorsWriter& weights,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    const auto data = make_feedback_tensors(table, plan);
    Work work{table, split, plan, data, stop, start_members(plan)};
    const auto most = static_cast<std::size_t>(std::max(1, at::get_num_threads()));
    work.n_threads = std::min(most, work.members.size());
    Progress bar{progress, "fit world", work.members.size(), "members"};
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0, n = work.n_threads; i < n; ++i) {
            threads.emplace_back([&work] { fit_some(work); });
        }
        std::unique_lock lock{work.mutex};
        std::size_t shown = 0;
        while (work.n_threads > 0) {
            work.changed.wait(lock, [&] { return work.n_threads == 0 || work.n_done > shown; });
            shown = work.n_done;
            bar.set(shown);
        }
    }
    if (work.error) {
        std::rethrow_exception(work.error);
    }
    std::vector<MemberResult> results;
    for (std::size_t i = 0; i < work.members.size(); ++i) {
        save_member(weights, fmt::format("member{}.", i), work.members[i]);
        results.push_back(work.members[i].result);
    }
    return results;
}

}  // namespace hg::simulate
