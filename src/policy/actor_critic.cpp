// SPDX-License-Identifier: Apache-2.0
#include "policy/actor_critic_net.hpp"
#include "policy/belief_net.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::policy {
namespace {

constexpr double smallest_deviation = 1e-4;

}  // namespace

void ActorCriticOptions::describe(OptionBinder& bind, ActorCriticOptions& o) {
    NetworkOptions::describe(bind, o.network);
    bind("rollout", o.rollout, "steps of every user per update", {.min = 1, .max = 100000});
    bind(
        "gae_lambda",
        o.gae_lambda,
        "0 = one-step advantages, 1 = whole returns",
        {.min = 0, .max = 1}
    );
    bind(
        "entropy",
        o.entropy,
        "bonus for staying undecided, falling with the learning rate",
        {.min = 0, .max = 10}
    );
    bind("value_weight", o.value_weight, "of the value's error in the loss", {.min = 0, .max = 10});
    bind(
        "exploit",
        o.exploit,
        "when judged: the best scores, or drawn as while learning",
        {.choices = {"greedy", "softmax"}}
    );
    bind(
        "context",
        o.context,
        context_help,
        {.choices = {context_choices.begin(), context_choices.end()}}
    );
}

void ReturnScale::update(const TransitionBatch& step) {
    returns_.resize(step.rewards.size());
    for (std::size_t u = 0; u < returns_.size(); ++u) {
        returns_[u] = discount_ * returns_[u] + step.rewards[u];
        n_ += 1;
        const double off = returns_[u] - mean_;
        mean_ += off / n_;
        squares_ += off * (returns_[u] - mean_);
        if (step.ended[u] != 0 || step.truncated[u] != 0) {
            returns_[u] = 0;
        }
    }
}

double ReturnScale::scale() const {
    return n_ > 1 ? 1 / std::max(smallest_deviation, std::sqrt(squares_ / n_)) : 1;
}

void ReturnScale::save(SafetensorsWriter& weights) const {
    const std::vector<double> values{n_, mean_, squares_};
    weights.add("return_scale", std::span<const double>{values});
}

void ReturnScale::load(const SafetensorsFile& weights) {
    const auto values = value_or_throw(weights.values<double>("return_scale"));
    if (values.size() != 3) {
        throw Error{ErrorCode::corrupt, "return_scale holds 3 numbers", "learn the agent again"};
    }
    n_ = values[0];
    mean_ = values[1];
    squares_ = values[2];
}

ActorCritic::ActorCritic(const AgentContext& context, const ActorCriticOptions& options)
    : ScoredAgent(context.world), options_(options), return_scale_(options.network.discount) {
    seed_torch(context.rng);
    net_ = make_agent_net(context, options.network);
    adam_ = std::make_unique<train::Adam>(
        net_->named(),
        train::AdamOptions{
            .learning_rate = options.network.learning_rate, .clip_norm = options.network.clip_norm
        }
    );
    set_progress(0);
}

void ActorCritic::observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) {
    return_scale_.update(step);
    record(step);
    if (rollout_.n_steps == options_.rollout) {
        update(rollout_, rng, log);
        rollout_.n_steps = 0;
    }
}

void ActorCritic::set_progress(double share) {
    const double left = options_.network.rate_share(share);
    adam_->set_rate_share(left);
    entropy_ = left * options_.entropy;
}

void ActorCritic::save(SafetensorsWriter& weights, Save what) const {
    add_network(weights, *net_, net_->named());
    if (what == Save::resume) {
        add_adam(weights, "adam.", *adam_, adam_step_);
        return_scale_.save(weights);
    }
}

void ActorCritic::load(const SafetensorsFile& weights, Save what) {
    copy_network(weights, *net_, net_->named());
    if (what == Save::resume) {
        adam_step_ = load_adam(weights, "adam.", *adam_);
        return_scale_.load(weights);
    }
}

void ActorCritic::score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) {
    const at::NoGradGuard no_grad;
    encode::to_matrix(net_->forward(look(seen)).scores, out);
}

SlateRule ActorCritic::rule(Mode mode) const {
    const bool draws = mode == Mode::explore || options_.exploit == "softmax";
    return {.draw = draws ? SlateDraw::softmax : SlateDraw::greedy};
}

NetInput ActorCritic::look(const ObservationBatch& seen) const {
    auto in = borrow(seen, world().n_candidates);
    in.sessions = session_in(in.sessions, options_.context);
    return in;
}

void ActorCritic::record(const TransitionBatch& step) {
    const auto b = signed_size(step.before.size());
    const auto k = signed_size(world().slate_size);
    if (rollout_.n_users != b) {
        const auto rows = options_.rollout * b;
        rollout_.before = NetInput::zeros(rows, world(), step.before.sessions.cols());
        rollout_.after = NetInput::zeros(rows, world(), step.after.sessions.cols());
        rollout_.slates = at::zeros({rows, k}, at::kLong);
        rollout_.clicked = at::zeros({rows, k});
        rollout_.log_prob = at::zeros({rows});
        rollout_.rewards.resize(static_cast<std::size_t>(rows));
        rollout_.ended.resize(static_cast<std::size_t>(rows));
        rollout_.truncated.resize(static_cast<std::size_t>(rows));
        rollout_.n_users = b;
        rollout_.n_steps = 0;
    }
    const auto row = rollout_.n_steps * b;
    rollout_.before.put(row, look(step.before));
    rollout_.after.put(row, look(step.after));
    auto slates = rollout_.slates.accessor<std::int64_t, 2>();
    auto clicked = rollout_.clicked.accessor<float, 2>();
    auto log_prob = rollout_.log_prob.accessor<float, 1>();
    for (std::int64_t u = 0; u < b; ++u) {
        const auto user = static_cast<std::size_t>(u);
        double sum = 0;
        for (std::int64_t slot = 0; slot < k; ++slot) {
            const auto s = static_cast<std::size_t>(slot);
            slates[row + u][slot] = step.decisions.slates(user, s);
            clicked[row + u][slot] = step.responses(user, s).clicked ? 1.0F : 0.0F;
            sum += std::log(step.decisions.propensities(user, s));
        }
        log_prob[row + u] = static_cast<float>(sum);
        const auto at = static_cast<std::size_t>(row + u);
        rollout_.rewards[at] = static_cast<float>(step.rewards[user]);
        rollout_.ended[at] = step.ended[user];
        rollout_.truncated[at] = step.truncated[user];
    }
    ++rollout_.n_steps;
}

std::vector<float> generalised_advantages(
    const Rollout& rollout,
    std::span<const float> value,
    std::span<const float> next,
    double scale,
    double discount,
    double lambda
) {
    std::vector<float> advantages(value.size());
    const auto b = rollout.n_users;
    for (std::int64_t u = 0; u < b; ++u) {
        double later = 0;
        for (std::int64_t t = rollout.n_steps - 1; t >= 0; --t) {
            const auto at = static_cast<std::size_t>(t * b + u);
            const bool ended = rollout.ended[at] != 0;
            const double delta = scale * static_cast<double>(rollout.rewards[at]) +
                                 (ended ? 0 : discount * static_cast<double>(next[at])) -
                                 static_cast<double>(value[at]);
            const bool over = ended || rollout.truncated[at] != 0;
            later = delta + (over ? 0 : discount * lambda * later);
            advantages[at] = static_cast<float>(later);
        }
    }
    return advantages;
}

Advantages ActorCritic::advantages(const Rollout& rollout, double lambda) {
    const at::NoGradGuard no_grad;
    const auto values = [](const at::Tensor& of) {
        return std::span{of.const_data_ptr<float>(), static_cast<std::size_t>(of.numel())};
    };
    const auto value = net_->forward(rollout.before).value.contiguous();
    const auto next = net_->forward(rollout.after).value.contiguous();
    const auto found = generalised_advantages(
        rollout,
        values(value),
        values(next),
        return_scale_.scale(),
        options_.network.discount,
        lambda
    );
    auto advantage = torch::tensor(at::ArrayRef<float>{found}, at::kFloat);
    auto target = advantage + value;
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8);
    return {.advantage = advantage, .target = target};
}

at::Tensor ActorCritic::advantage_loss(const Rollout& rollout) {
    const auto [advantage, target] = advantages(rollout, options_.gae_lambda);
    const auto out = net_->forward(rollout.before);
    const auto log_prob = slate_log_prob(out.scores, rollout.slates);
    return regularised(-(log_prob * advantage).mean(), out, target);
}

void ActorCritic::descend(const at::Tensor& loss) {
    adam_->descend(loss, ++adam_step_);
}

at::Tensor ActorCritic::regularised(
    const at::Tensor& policy_loss, const AgentNet::Output& out, const at::Tensor& target
) {
    const auto log_prob = at::log_softmax(out.scores, 1);
    const auto entropy = -(log_prob.exp() * log_prob).sum(1).mean();
    const auto value_loss = (out.value - target).pow(2).mean();
    auto loss = policy_loss + options_.value_weight * value_loss - entropy_ * entropy;
    if (const auto extra = net_->auxiliary_loss(); extra.defined()) {
        loss = loss + extra;
    }
    return loss;
}

}  // namespace hg::policy
