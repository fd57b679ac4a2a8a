// SPDX-License-Identifier: Apache-2.0
#include "policy/value_agent_net.hpp"

#include <algorithm>
#include <cmath>

namespace hg::policy {

void ValueAgentOptions::describe(OptionBinder& bind, ValueAgentOptions& o) {
    NetworkOptions::describe(bind, o.network);
    describe_learning(bind, o);
}

void ValueAgentOptions::describe_learning(OptionBinder& bind, ValueAgentOptions& o) {
    bind("n_step", o.n_step, "rewards before the value takes over", {.min = 1, .max = 100});
    bind("double_q", o.double_q, "the online network chooses, the target judges");
    bind("replay", o.replay, "steps remembered", {.min = 100, .max = 1e8});
    bind("batch", o.batch, "steps per gradient", {.min = 1, .max = 1e5});
    bind(
        "updates_per_step",
        o.updates_per_step,
        "gradients per step of all users",
        {.min = 0.001, .max = 100}
    );
    bind(
        "target_share",
        o.target_share,
        "how far the target follows per gradient",
        {.min = 1e-5, .max = 1}
    );
    describe_epsilon(bind, o.epsilon, "share of exploration at the start");
}

ValueAgent::ValueAgent(
    const AgentContext& context,
    const ValueAgentOptions& options,
    std::shared_ptr<torch::nn::Module> online,
    std::shared_ptr<torch::nn::Module> target
)
    : ScoredAgent(context.world),
      options_(options),
      schedule_(options.epsilon),
      epsilon_(options.epsilon.start),
      online_(std::move(online)),
      target_(std::move(target)),
      adam_(std::make_unique<train::Adam>(
          named_of(*online_),
          train::AdamOptions{
              .learning_rate = options.network.learning_rate, .clip_norm = options.network.clip_norm
          }
      )),
      replay_(context, options.replay, options.n_step, options.network.discount) {
    copy_weights(*online_, *target_);
}

void ValueAgent::observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) {
    for (const double reward : step.rewards) {
        reward_sum_ += std::abs(reward);
        n_rewards_ += 1;
    }
    replay_.add(step);
    updates_due_ += options_.updates_per_step;
    if (replay_.size() < 2 * options_.batch) {
        updates_due_ = 0;
    }
    for (; updates_due_ >= 1; updates_due_ -= 1) {
        learn(rng, log);
    }
}

void ValueAgent::learn(Rng& rng, const MetricSink& log) {
    auto batch = replay_.sample(options_.batch, rng);
    const double scale = n_rewards_ / std::max(1e-6, reward_sum_);
    batch.rewards = batch.rewards * scale;
    const auto value = loss(batch);
    adam_->descend(value, ++adam_step_);
    follow();
    if (adam_step_ % 100 == 0) {
        log("loss", value.item<double>());
        log("epsilon", epsilon_);
    }
}

void ValueAgent::save(SafetensorsWriter& weights, Save what) const {
    add_network(weights, *online_, named_of(*online_));
    if (what == Save::resume) {
        add_tensors(weights, "target.", named_of(*target_));
        add_adam(weights, "adam.", *adam_, adam_step_);
        const std::vector<double> numbers{reward_sum_, n_rewards_};
        weights.add("rewards", std::span<const double>{numbers});
    }
}

void ValueAgent::load(const SafetensorsFile& weights, Save what) {
    copy_network(weights, *online_, named_of(*online_));
    if (what == Save::policy) {
        copy_weights(*online_, *target_);  // where learning begins with these
    }
    if (what == Save::resume) {
        copy_tensors(weights, "target.", named_of(*target_));
        adam_step_ = load_adam(weights, "adam.", *adam_);
        const auto numbers = value_or_throw(weights.values<double>("rewards"));
        HG_CHECK(numbers.size() == 2, "written by save()");
        reward_sum_ = numbers[0];
        n_rewards_ = numbers[1];
    }
}

void ValueAgent::copy_weights(const torch::nn::Module& from, const torch::nn::Module& to) {
    const at::NoGradGuard no_grad;
    const auto source = named_of(from);
    const auto targets = named_of(to);
    for (std::size_t i = 0; i < source.size(); ++i) {
        auto target = targets[i].second;
        target.copy_(source[i].second);
    }
}

void ValueAgent::follow() {
    const at::NoGradGuard no_grad;
    const auto from = named_of(*online_);
    const auto to = named_of(*target_);
    for (std::size_t i = 0; i < from.size(); ++i) {
        auto moving = to[i].second;
        moving.lerp_(from[i].second, options_.target_share);
    }
}

}  // namespace hg::policy
