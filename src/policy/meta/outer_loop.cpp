// SPDX-License-Identifier: Apache-2.0
#include "encode/tensor_io.hpp"
#include "policy/meta/outer_loop_net.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>

namespace hg::policy {
namespace {

constexpr double final_rate_share = 0.05;
constexpr std::size_t tasks_per_check = 256;

using Tasks = std::vector<const TaskEvents*>;

struct TaskSplit {
    Tasks train;
    Tasks check;
};

TaskSplit split_tasks(std::span<const TaskEvents> tasks, double share, Rng rng) {
    Tasks all;
    for (const auto& task : tasks) {
        if (task.size() > 1) {
            all.push_back(&task);
        }
    }
    if (all.size() < 2) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{} of {} tasks have two events or more", all.size(), tasks.size()),
            "a meta-learner needs at least two such tasks; use hierarchical_gaussian or item_bias",
        };
    }
    rng.shuffle(std::span{all});
    const auto n = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::lround(share * static_cast<double>(all.size()))),
        share > 0 ? 1 : 0,
        all.size() - 1
    );
    const auto cut = all.begin() + static_cast<std::ptrdiff_t>(n);
    return {.train = {cut, all.end()}, .check = {all.begin(), cut}};
}

/// The same episodes at every check: a few support sizes up to the largest.
std::vector<TaskBatch> check_batches(
    const OuterOptions& options, Tasks tasks, const TargetScale& scale, Rng rng
) {
    std::vector<TaskBatch> batches;
    if (tasks.empty()) {
        return batches;
    }
    tasks.resize(std::min(tasks.size(), tasks_per_check));
    const auto most = static_cast<std::size_t>(options.max_support);
    for (const std::size_t n_support : {most / 20, most / 4, most / 2, most}) {
        batches.push_back(make_batch(
            tasks,
            {.n_support = n_support,
             .max_query = static_cast<std::size_t>(options.max_query),
             .is_first = options.support == "first"},
            scale,
            rng
        ));
    }
    return batches;
}

/// Copies of the weights that did best so far.
class BestWeights {
  public:
    explicit BestWeights(const train::Adam::NamedTensors& weights) : weights_(weights) {}

    /// Whether it is the best yet.
    bool offer(double loss) {
        if (loss >= best_) {
            return false;
        }
        best_ = loss;
        kept_.clear();
        for (const auto& [name, tensor] : weights_) {
            kept_.push_back(tensor.detach().clone());
        }
        return true;
    }

    void restore() const {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < kept_.size(); ++i) {
            auto target = weights_[i].second;
            target.copy_(kept_[i]);
        }
    }

    [[nodiscard]] double loss() const noexcept { return best_; }

  private:
    const train::Adam::NamedTensors& weights_;
    std::vector<at::Tensor> kept_;
    double best_ = std::numeric_limits<double>::infinity();
};

double mean_check(const OuterLoop& loop, const std::vector<TaskBatch>& batches) {
    double sum = 0;
    for (const auto& batch : batches) {
        sum += loop.check(batch);
    }
    return sum / static_cast<double>(batches.size());
}

}  // namespace

void OuterOptions::describe(OptionBinder& bind, OuterOptions& o) {
    bind("steps", o.steps, "outer steps, at most", {.min = 1, .max = 1e7});
    bind("tasks_per_step", o.tasks_per_step, "users per outer step", {.min = 1, .max = 65536});
    bind("learning_rate", o.learning_rate, "of the outer loop", {.min = 1e-8, .max = 10});
    bind("weight_decay", o.weight_decay, "decoupled decay of matrices", {.min = 0, .max = 10});
    bind("max_support", o.max_support, "supports have 0 to this many events", {.max = 1e6});
    bind("max_query", o.max_query, "events asked per user and step", {.min = 1, .max = 1e6});
    bind(
        "support",
        o.support,
        "which events of a training user are the support",
        {.choices = {"random", "first"}}
    );
    bind(
        "target",
        o.target,
        "learn what is left of the item's mean, or the answer itself",
        {.choices = {"residual", "answer"}}
    );
    bind("check_every", o.check_every, "outer steps between checks", {.min = 1, .max = 1e7});
    bind("patience", o.patience, "checks without a better one before stopping; 0 = never");
    bind(
        "validation_share",
        o.validation_share,
        "share of the users held out for these checks; 0 = no checks",
        {.min = 0, .max = 0.5}
    );
}

TargetScale scale_of(const OuterOptions& options, std::span<const TaskEvents> tasks) {
    if (options.target == "residual") {
        return {};
    }
    double sum = 0;
    double n = 0;
    for (const auto& task : tasks) {
        const auto targets = task.view().targets;
        sum = std::accumulate(targets.begin(), targets.end(), sum);
        n += static_cast<double>(targets.size());
    }
    return {.uses_offsets = false, .centre = n > 0 ? static_cast<float>(sum / n) : 0.0F};
}

void save_network(
    const train::Adam::NamedTensors& network, const TargetScale& scale, SafetensorsWriter& weights
) {
    for (const auto& [name, tensor] : network) {
        encode::add_tensor(weights, name, tensor.detach());
    }
    const std::array values{scale.uses_offsets ? 1.0F : 0.0F, scale.centre};
    weights.add("target_scale", std::span<const float>{values});
}

TargetScale load_network(const SafetensorsFile& weights, const train::Adam::NamedTensors& network) {
    const at::NoGradGuard no_grad;
    for (auto [name, tensor] : network) {
        encode::copy_tensor(weights, name, tensor);
    }
    const auto values = value_or_throw(weights.values<float>("target_scale"));
    if (values.size() != 2) {
        throw Error{ErrorCode::corrupt, "target_scale: expected two numbers", "learn it again"};
    }
    return {.uses_offsets = values[0] != 0, .centre = values[1]};
}

void write_answers(
    const at::Tensor& answers,
    const QueriesView& queries,
    const TargetScale& scale,
    std::span<float> out
) {
    const auto flat = answers.contiguous();
    const auto* values = flat.const_data_ptr<float>();
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = values[i] + scale.shift(queries.offsets[i]);
    }
}

void run_outer_loop(
    const OuterOptions& options,
    std::span<const TaskEvents> tasks,
    const OuterLoop& loop,
    const MetaFit& session
) {
    const auto [train, held_out] =
        split_tasks(tasks, options.validation_share, session.rng.split("validation"));
    const auto checks =
        check_batches(options, held_out, loop.scale, session.rng.split("check episodes"));
    auto rng = session.rng.split("episodes");
    BestWeights best{loop.weights};
    Progress bar{session.progress, "meta-train", static_cast<std::size_t>(options.steps), "steps"};
    std::int64_t worse = 0;
    Tasks drawn(static_cast<std::size_t>(options.tasks_per_step));
    for (std::int64_t step = 1; step <= options.steps && !session.stop.stop_requested(); ++step) {
        for (auto& task : drawn) {
            task = train[rng.below(train.size())];
        }
        const EpisodeOptions episode{
            .n_support = rng.below(static_cast<std::size_t>(options.max_support) + 1),
            .max_query = static_cast<std::size_t>(options.max_query),
            .is_first = options.support == "first",
        };
        const double done = static_cast<double>(step - 1) / static_cast<double>(options.steps);
        loop.update(
            make_batch(drawn, episode, loop.scale, rng), step, 1 - (1 - final_rate_share) * done
        );
        bar.advance();
        if (checks.empty() || step % options.check_every != 0) {
            continue;
        }
        worse = best.offer(mean_check(loop, checks)) ? 0 : worse + 1;
        bar.note(fmt::format("error {:.4f}", best.loss()));
        if (options.patience > 0 && worse >= options.patience) {
            break;
        }
    }
    best.restore();
}

std::function<void(const TaskBatch&, std::int64_t, double)> descend(
    const OuterOptions& options,
    const train::Adam::NamedTensors& weights,
    std::function<at::Tensor(const TaskBatch&)> loss
) {
    auto adam = std::make_shared<train::Adam>(
        weights,
        train::AdamOptions{
            .learning_rate = options.learning_rate,
            .weight_decay = options.weight_decay,
            .clip_norm = 1,
        }
    );
    return [adam = std::move(adam),
            loss = std::move(loss)](const TaskBatch& batch, std::int64_t step, double rate_share) {
        adam->set_rate_share(rate_share);
        adam->descend(loss(batch), step);
    };
}

}  // namespace hg::policy
