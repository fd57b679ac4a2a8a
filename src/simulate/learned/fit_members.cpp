// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/fit_members.hpp"

#include "simulate/learned/feedback_tensors_net.hpp"
#include "simulate/learned/member_net.hpp"
#include "train/tensor_io.hpp"
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
using train::Batch;

constexpr double value_weight = 0.5;    // of the loss terms beside the clicks
constexpr double change_weight = 0.25;  // per number of the user
constexpr double least_log_sd = -5;     // of a change, in standard deviations of the number
constexpr double most_log_sd = 1;
constexpr std::size_t n_residuals = 65;

/// Rows of decisions of some sequences, one after the other, and where each sequence starts.
struct Rows {
    std::vector<std::int64_t> decisions;
    std::vector<std::int64_t> padded;  // [sequences, longest]; 0 where there is none
    std::vector<std::int64_t> places;  // of each decision in `padded`
    std::int64_t longest = 0;
};

Rows rows_of(const FeedbackTable& table, std::span<const std::uint32_t> sequences) {
    Rows rows;
    for (const auto s : sequences) {
        const auto n = table.sequence_offsets[s + 1] - table.sequence_offsets[s];
        rows.longest = std::max(rows.longest, static_cast<std::int64_t>(n));
    }
    rows.padded.assign(sequences.size() * static_cast<std::size_t>(rows.longest), 0);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        auto place = static_cast<std::int64_t>(i) * rows.longest;
        for (const auto d : table.decisions(sequences[i])) {
            rows.decisions.push_back(static_cast<std::int64_t>(d));
            rows.padded[static_cast<std::size_t>(place)] = static_cast<std::int64_t>(d);
            rows.places.push_back(place++);
        }
    }
    return rows;
}

at::Tensor indices(const std::vector<std::int64_t>& values) {
    return torch::tensor(at::ArrayRef<std::int64_t>{values}, at::kLong);
}

struct Predicted {
    at::Tensor logits;  // [rows, k]
    at::Tensor values;  // [rows, k]
    at::Tensor leave;   // [rows]
    at::Tensor change;  // [rows, change_size]; undefined without dynamics
};

class MemberTrainee final : public train::Trainee {
  public:
    MemberTrainee(
        MemberNet& net,
        const FeedbackTensors& data,
        const FeedbackTable& table,
        const FitPlan& plan,
        std::vector<std::uint32_t> sequences,
        const std::vector<std::uint32_t>& validation
    )
        : net_(net),
          data_(data),
          table_(table),
          plan_(plan),
          sequences_(std::move(sequences)),
          validation_(validation) {}

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        std::vector<std::pair<std::string, at::Tensor>> all;
        for (const auto& p : net_.named_parameters()) {
            all.emplace_back(p.key(), p.value());
        }
        return all;
    }

    [[nodiscard]] std::size_t n_examples() const override { return sequences_.size(); }

    /// Sequences are packed until a batch has its decisions.
    [[nodiscard]] std::vector<Batch> plan_epoch(std::size_t batch_decisions, Rng rng) override {
        auto order = train::shuffled_batches(sequences_.size(), sequences_.size(), rng).front();
        return pack(order, batch_decisions, [this](std::uint32_t i) { return sequences_[i]; });
    }

    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& /*rng*/) override {
        std::vector<std::uint32_t> chosen;
        for (const auto i : batch) {
            chosen.push_back(sequences_[i]);
        }
        return loss_of(chosen);
    }

    [[nodiscard]] std::optional<double> validate() override {
        const at::NoGradGuard no_grad;
        double sum = 0;
        std::size_t n = 0;
        std::vector<std::uint32_t> order(validation_.size());
        std::iota(order.begin(), order.end(), 0U);
        constexpr std::size_t chunk = 4096;
        for (const auto& part :
             pack(order, chunk, [this](std::uint32_t i) { return validation_[i]; })) {
            std::vector<std::uint32_t> chosen;
            std::size_t decisions = 0;
            for (const auto i : part) {
                chosen.push_back(validation_[i]);
                decisions += length(validation_[i]);
            }
            sum += loss_of(chosen).item<double>() * static_cast<double>(decisions);
            n += decisions;
        }
        validations_.push_back(-sum / static_cast<double>(std::max<std::size_t>(1, n)));
        return validations_.back();
    }

    [[nodiscard]] std::string_view validation_name() const override { return "minus loss"; }

    [[nodiscard]] const std::vector<double>& validations() const { return validations_; }

    /// What the values were off by, as quantiles: known - predicted, of clicks before which the user
    /// stays (`left` = 0) or leaves (1); of all where there are too few.
    [[nodiscard]] std::vector<float> value_residuals(
        std::span<const std::uint32_t> sequences, double left
    ) {
        const at::NoGradGuard no_grad;
        constexpr std::int64_t fewest = 20;
        const auto rows = rows_of(table_, sequences);
        const auto at_rows = indices(rows.decisions);
        const auto known = data_.value_mask.index_select(0, at_rows) > 0;
        const auto off = data_.values.index_select(0, at_rows) - predict(rows, at_rows).values;
        const auto same = (data_.left.index_select(0, at_rows) == left).unsqueeze(1);
        auto chosen = off.masked_select(known & same);
        if (chosen.numel() < fewest) {
            chosen = off.masked_select(known);
        }
        if (chosen.numel() == 0) {
            return {0.0F};
        }
        const auto sorted = std::get<0>(chosen.sort());
        std::vector<float> quantiles;
        for (std::size_t i = 0; i < n_residuals; ++i) {
            const auto at = (static_cast<std::int64_t>(i) * (sorted.numel() - 1)) /
                            static_cast<std::int64_t>(n_residuals - 1);
            quantiles.push_back(sorted[at].item<float>());
        }
        return quantiles;
    }

  private:
    [[nodiscard]] std::size_t length(std::uint32_t s) const {
        return table_.sequence_offsets[s + 1] - table_.sequence_offsets[s];
    }

    template <typename Sequence>
    [[nodiscard]] std::vector<Batch> pack(
        const Batch& order, std::size_t wanted, const Sequence& sequence
    ) const {
        std::vector<Batch> batches(1);
        std::size_t filled = 0;
        for (const auto i : order) {
            if (filled >= wanted) {
                batches.emplace_back();
                filled = 0;
            }
            batches.back().push_back(i);
            filled += length(sequence(i));
        }
        return batches;
    }

    [[nodiscard]] at::Tensor item_vectors(const at::Tensor& rows) {
        const auto flat = rows.flatten();
        const auto vectors = data_.items.size(0) <= flat.size(0)
                                 ? net_.item->forward(data_.items).index_select(0, flat)
                                 : net_.item->forward(data_.items.index_select(0, flat));
        return vectors.view({rows.size(0), rows.size(1), -1});
    }

    [[nodiscard]] Predicted predict(const Rows& rows, const at::Tensor& at_rows) {
        const auto numbers = data_.users.index_select(0, at_rows);
        auto user = at::cat({numbers, data_.counters.index_select(0, at_rows)}, 1);
        if (net_.family == Family::sequence) {
            const auto padded = data_.tokens.index_select(0, indices(rows.padded))
                                    .view({-1, rows.longest, data_.tokens.size(1)});
            const auto states = net_.gru->states_before(padded).flatten(0, 1);
            user = at::cat({user, states.index_select(0, indices(rows.places))}, 1);
        }
        const auto a = net_.user->forward(user).unsqueeze(1);                    // [rows, 1, tower]
        const auto b = item_vectors(data_.slot_items.index_select(0, at_rows));  // [rows, k, tower]
        const auto r = static_cast<std::int64_t>(net_.shape.rank);
        constexpr auto v = static_cast<std::int64_t>(MemberShape::value_rank);
        const auto dot = [&](std::int64_t first, std::int64_t n) {
            return (a.narrow(2, first, n) * b.narrow(2, first, n)).sum(2) /
                       std::sqrt(static_cast<double>(n)) +
                   a.select(2, first + n) + b.select(2, first + n);
        };
        auto logits = dot(0, r);
        if (table_.facts.has_positions) {
            logits = logits + net_.position;
        }
        const auto leave =
            net_.leave->forward(at::cat({user, data_.clicks.index_select(0, at_rows)}, 1));
        at::Tensor change;
        if (net_.change) {
            change = net_.change->forward(at::cat(
                {numbers,
                 data_.tokens.index_select(0, at_rows),
                 data_.products.index_select(0, at_rows)},
                1
            ));
        }
        return {logits, dot(r + 1, v), leave.squeeze(1), change};
    }

    [[nodiscard]] at::Tensor loss_of(std::span<const std::uint32_t> sequences) {
        const auto rows = rows_of(table_, sequences);
        const auto at_rows = indices(rows.decisions);
        const auto predicted = predict(rows, at_rows);
        const auto weight = data_.weight.index_select(0, at_rows);
        const auto total = weight.sum();
        auto loss = (click_loss(predicted.logits, at_rows) * weight).sum() / total;
        if (plan_.value_sd > 0) {
            const auto mask = data_.value_mask.index_select(0, at_rows);
            const auto off = predicted.values - data_.values.index_select(0, at_rows);
            loss = loss + value_weight * ((off.square() * mask).sum(1) * weight).sum() /
                              (mask.sum(1) * weight).sum().clamp_min(1);
        }
        return loss + ending_loss(predicted, at_rows);
    }

    /// [rows]
    [[nodiscard]] at::Tensor click_loss(const at::Tensor& logits, const at::Tensor& at_rows) const {
        const auto mask = data_.slot_mask.index_select(0, at_rows);
        if (plan_.single_click) {
            const auto open = logits.masked_fill(mask == 0, -1e9);
            const auto all = at::cat({open, at::zeros({open.size(0), 1})}, 1);
            const auto choice = data_.choice.index_select(0, at_rows).unsqueeze(1);
            return -at::log_softmax(all, 1).gather(1, choice).squeeze(1);
        }
        const auto clicked = data_.clicked.index_select(0, at_rows);
        const auto each = at::binary_cross_entropy_with_logits(
            logits, clicked, /*weight=*/{}, /*pos_weight=*/{}, at::Reduction::None
        );
        return (each * mask).sum(1);
    }

    [[nodiscard]] at::Tensor ending_loss(const Predicted& predicted, const at::Tensor& at_rows)
        const {
        const auto known = data_.left_mask.index_select(0, at_rows);
        const auto left = data_.left.index_select(0, at_rows);
        const auto each = at::binary_cross_entropy_with_logits(
            predicted.leave, left, /*weight=*/{}, /*pos_weight=*/{}, at::Reduction::None
        );
        auto loss = (each * known).sum() / known.sum().clamp_min(1);
        if (predicted.change.defined()) {
            const auto n = static_cast<std::int64_t>(net_.shape.user_size);
            const auto log_sd = predicted.change.narrow(1, n, n).clamp(least_log_sd, most_log_sd);
            const auto off =
                data_.change.index_select(0, at_rows) - predicted.change.narrow(1, 0, n);
            const auto nll = 0.5 * (off / log_sd.exp()).square() + log_sd;
            const auto moved = data_.change_mask.index_select(0, at_rows);
            loss = loss + change_weight * (nll.mean(1) * moved).sum() / moved.sum().clamp_min(1);
        }
        return loss;
    }

    MemberNet& net_;
    const FeedbackTensors& data_;
    const FeedbackTable& table_;
    const FitPlan& plan_;
    std::vector<std::uint32_t> sequences_;  // the bootstrap
    const std::vector<std::uint32_t>& validation_;
    std::vector<double> validations_;
};

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
        train::add_tensor(writer, prefix + p.key(), p.value());
    }
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
        train::copy_tensor(*file, p.key(), p.value());
    }
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
