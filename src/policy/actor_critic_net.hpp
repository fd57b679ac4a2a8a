// SPDX-License-Identifier: Apache-2.0
// ActorCritic: what REINFORCE, A2C, A3C and PPO share: a softmax policy over candidates, slates by
// Plackett-Luce, rollouts of T steps of all users, and advantages. Private to this room.
//
//   A_t = sum_l (gamma lambda)^l delta_{t+l},  delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
//                                                     (GAE: Schulman et al., 2016, equation 16)
//
// A truncated episode and the end of a rollout are continued by V of what would have followed.
// Rewards are divided by a running deviation of the discounted return, so that one learning rate
// fits worlds that pay cents and worlds that pay minutes.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/scored_agent.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hg::policy {

struct ActorCriticOptions {
    NetworkOptions network;
    std::int64_t rollout = 32;
    double gae_lambda = 0.95;
    double entropy = 0.01;
    double value_weight = 0.5;
    std::string exploit = "greedy";
    std::string context = "own";

    static void describe(OptionBinder& bind, ActorCriticOptions& o);
};

/// T steps of B users, flat: row t * B + u.
struct Rollout {
    NetInput before;
    NetInput after;
    at::Tensor slates;    // [T * B, k] int64
    at::Tensor clicked;   // [T * B, k]
    at::Tensor log_prob;  // [T * B] of the slate when it was drawn
    std::vector<float> rewards;
    std::vector<std::uint8_t> ended;
    std::vector<std::uint8_t> truncated;
    std::int64_t n_users = 0;
    std::int64_t n_steps = 0;  // filled so far
};

struct Advantages {
    at::Tensor advantage;  // [T * B], mean 0 and deviation 1
    at::Tensor target;     // [T * B] what the value should have said
};

/// A_t of every row of a rollout; `value`, `next`: V before and after its step, rewards times `scale`.
[[nodiscard]] std::vector<float> generalised_advantages(
    const Rollout& rollout,
    std::span<const float> value,
    std::span<const float> next,
    double scale,
    double discount,
    double lambda
);

/// Divides rewards by the deviation of the discounted return seen so far.
class ReturnScale {
  public:
    explicit ReturnScale(double discount) : discount_(discount) {}

    void update(const TransitionBatch& step);

    [[nodiscard]] double scale() const;

    void save(SafetensorsWriter& weights) const;
    void load(const SafetensorsFile& weights);

  private:
    double discount_;
    std::vector<double> returns_;  // per user, discounted from the past
    double n_ = 0;
    double mean_ = 0;
    double squares_ = 0;  // sum of squared deviations (Welford, 1962)
};

class ActorCritic : public ScoredAgent {
  public:
    ActorCritic(const AgentContext& context, const ActorCriticOptions& options);

    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) final;
    void set_progress(double share) override;
    void save(SafetensorsWriter& weights, Save what) const override;
    void load(const SafetensorsFile& weights, Save what) override;

    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    ) override {
        return net_->begin_with(agent, options, weights);
    }

    /// Whose parameters others may teach too.
    [[nodiscard]] AgentNet& net() noexcept { return *net_; }

  protected:
    void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) final;
    [[nodiscard]] SlateRule rule(Mode mode) const final;

    /// One rollout is full: change the network.
    virtual void update(const Rollout& rollout, Rng& rng, const MetricSink& log) = 0;

    [[nodiscard]] Advantages advantages(const Rollout& rollout, double lambda);
    /// loss.backward() and a step of Adam.
    void descend(const at::Tensor& loss);
    /// The gradient of its slates' log probabilities by their advantage, regularised(): what A2C and
    /// A3C descend.
    [[nodiscard]] at::Tensor advantage_loss(const Rollout& rollout);
    /// Weighted mean squared error of the value and the entropy of the first slot, as a loss.
    [[nodiscard]] at::Tensor regularised(
        const at::Tensor& policy_loss, const AgentNet::Output& out, const at::Tensor& target
    );

    [[nodiscard]] const ActorCriticOptions& options() const noexcept { return options_; }

  private:
    /// With the session that the option `context` asks for.
    [[nodiscard]] NetInput look(const ObservationBatch& seen) const;
    void record(const TransitionBatch& step);

    ActorCriticOptions options_;
    std::shared_ptr<AgentNet> net_;
    std::unique_ptr<train::Adam> adam_;
    std::int64_t adam_step_ = 0;
    double entropy_ = 0;  // of the bonus, falling with the learning rate
    Rollout rollout_;
    ReturnScale return_scale_;
};

}  // namespace hg::policy
