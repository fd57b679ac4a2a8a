// SPDX-License-Identifier: Apache-2.0
// DQN (Mnih et al., 2015), double (van Hasselt et al., 2016), dueling (Wang et al., 2016), n-step.
//
// Deviation for slates: Q(s, slate) = V(s) + mean over its items of (A(s, i) - mean A), so the best
// slate is the k best items; with one slot this is the published dueling network.
#include "policy/value_agent_net.hpp"

namespace hg::policy {
namespace {

struct DqnOptions : ValueAgentOptions {
    bool dueling = true;

    static void describe(OptionBinder& bind, DqnOptions& o) {
        ValueAgentOptions::describe(bind, o);
        bind("dueling", o.dueling, "value and advantages apart");
    }
};

class DqnAgent final : public ValueAgent {
  public:
    DqnAgent(
        const AgentContext& context,
        const DqnOptions& options,
        std::shared_ptr<AgentNet> online,
        std::shared_ptr<AgentNet> target
    )
        : ValueAgent(context, options, online, target),
          dueling_(options.dueling),
          online_net_(std::move(online)),
          target_net_(std::move(target)) {}

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const at::NoGradGuard no_grad;
        encode::to_matrix(online_net_->forward(borrow(seen, world().n_candidates)).scores, out);
    }

    at::Tensor loss(const ReplayBatch& batch) override {
        at::Tensor target;
        {
            const at::NoGradGuard no_grad;
            const auto judge = item_values(target_net_->forward(batch.after));
            const auto chooser =
                options().double_q ? item_values(online_net_->forward(batch.after)) : judge;
            const auto best = std::get<1>(chooser.topk(batch.slates.size(1), 1));
            target = batch.rewards + batch.discounts * judge.gather(1, best).mean(1);
        }
        const auto out = online_net_->forward(batch.before);
        const auto value = item_values(out).gather(1, batch.slates).mean(1);
        // Squares, not Huber: rewards are skewed, and Huber would learn something between mean and median.
        auto loss = at::mse_loss(value, target);
        if (const auto extra = online_net_->encoder->auxiliary_loss(); extra.defined()) {
            loss = loss + extra;
        }
        return loss;
    }

  private:
    /// [B, n]: a slate's value is the mean over its items.
    [[nodiscard]] at::Tensor item_values(const AgentNet::Output& out) const {
        return dueling_ ? out.value.unsqueeze(1) + out.scores - out.scores.mean(1, true)
                        : out.scores;
    }

    bool dueling_;
    std::shared_ptr<AgentNet> online_net_;
    std::shared_ptr<AgentNet> target_net_;
};

std::unique_ptr<Agent> dqn_agent(const AgentContext& context, const Settings& settings) {
    const auto options = settings.read<DqnOptions>();
    seed_torch(context.rng);
    const auto shared = with_trunk(context, options.network);
    auto online = std::make_shared<AgentNet>(shared, options.network);
    auto target = std::make_shared<AgentNet>(shared, options.network);
    return std::make_unique<DqnAgent>(context, options, std::move(online), std::move(target));
}

}  // namespace

extern const AgentEntry dqn{
    .name = "dqn",
    .summary = "deep Q-learning: double, dueling, n-step; a slate is worth the mean of its items",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<DqnOptions>,
    .make = &dqn_agent,
    .session_tokens = &session_tokens_of<DqnOptions>,
};

}  // namespace hg::policy
