// SPDX-License-Identifier: Apache-2.0
// ValueAgent: what dqn, slate_q and knob_dqn share: a replay, an online and a target network,
// epsilon-greedy slates, a gradient every few steps. Private to this room.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/replay_net.hpp"
#include "policy/scored_agent.hpp"

#include <cstdint>
#include <memory>

namespace hg::policy {

struct ValueAgentOptions {
    NetworkOptions network;
    std::int64_t n_step = 3;
    bool double_q = true;
    std::int64_t replay = 50'000;
    std::int64_t batch = 256;
    double updates_per_step = 1;
    double target_share = 0.01;
    Schedule epsilon{.start = 1, .end = 0.05, .share = 0.5};

    static void describe(OptionBinder& bind, ValueAgentOptions& o);
    /// All but those of the network.
    static void describe_learning(OptionBinder& bind, ValueAgentOptions& o);
};

class ValueAgent : public ScoredAgent {
  public:
    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) final;

    void set_progress(double share) final {
        epsilon_ = schedule_.at(share);
        adam_->set_rate_share(options_.network.rate_share(share));
    }

    void save(SafetensorsWriter& weights, Save what) const override;
    void load(const SafetensorsFile& weights, Save what) override;

  protected:
    /// `online` and `target` are two networks of one shape.
    ValueAgent(
        const AgentContext& context,
        const ValueAgentOptions& options,
        std::shared_ptr<torch::nn::Module> online,
        std::shared_ptr<torch::nn::Module> target
    );

    /// The loss of a batch of transitions, rewards already scaled.
    [[nodiscard]] virtual at::Tensor loss(const ReplayBatch& batch) = 0;

    [[nodiscard]] SlateRule rule(Mode mode) const final {
        return {.draw = SlateDraw::greedy, .epsilon = mode == Mode::explore ? epsilon_ : 0};
    }

    [[nodiscard]] const ValueAgentOptions& options() const noexcept { return options_; }

  private:
    static void copy_weights(const torch::nn::Module& from, const torch::nn::Module& to);
    void follow();
    void learn(Rng& rng, const MetricSink& log);

    ValueAgentOptions options_;
    Schedule schedule_;
    double epsilon_ = 1;
    std::shared_ptr<torch::nn::Module> online_;
    std::shared_ptr<torch::nn::Module> target_;
    std::unique_ptr<train::Adam> adam_;
    std::int64_t adam_step_ = 0;
    Replay replay_;
    double updates_due_ = 0;
    double reward_sum_ = 0;  // of absolute rewards: what they are scaled by
    double n_rewards_ = 0;
};

}  // namespace hg::policy
