// SPDX-License-Identifier: Apache-2.0
// Proximal policy optimisation (Schulman et al., 2017, equation 7):
//
//   L = E min(rho A, clip(rho, 1 - eps, 1 + eps) A),  rho = pi(slate) / pi_old(slate)
//
// Slates are Plackett-Luce, so rho is the ratio of whole slates.
#include "policy/policy_gradient_net.hpp"

#include <algorithm>

namespace hg::policy {
namespace {

class PpoAgent final : public ActorCritic {
  public:
    PpoAgent(const AgentContext& context, const PpoOptions& options)
        : ActorCritic(context, options), ppo_(options) {}

  protected:
    void update(const Rollout& rollout, Rng& rng, const MetricSink& log) override {
        const auto [advantage, target] = advantages(rollout, ppo_.gae_lambda);
        const auto n = advantage.size(0);
        double last_loss = 0;
        for (std::int64_t epoch = 0; epoch < ppo_.epochs; ++epoch) {
            std::vector<std::int64_t> order(static_cast<std::size_t>(n));
            for (std::int64_t i = 0; i < n; ++i) {
                order[static_cast<std::size_t>(i)] = i;
            }
            rng.shuffle(std::span{order});
            const auto shuffled = at::tensor(order, at::kLong);
            for (std::int64_t begin = 0; begin < n; begin += ppo_.minibatch) {
                const auto rows = shuffled.narrow(0, begin, std::min(ppo_.minibatch, n - begin));
                const auto out = net().forward(rollout.before.rows(rows));
                const auto gain = clipped_gain(
                    slate_log_prob(out.scores, rollout.slates.index_select(0, rows)),
                    rollout.log_prob.index_select(0, rows),
                    advantage.index_select(0, rows),
                    ppo_.clip
                );
                const auto loss = regularised(-gain.mean(), out, target.index_select(0, rows));
                descend(loss);
                last_loss = loss.item<double>();
            }
        }
        log("loss", last_loss);
    }

  private:
    PpoOptions ppo_;
};

std::unique_ptr<Agent> ppo_agent(const AgentContext& context, const Settings& settings) {
    return make_ppo(context, settings.read<PpoOptions>());
}

}  // namespace

at::Tensor clipped_gain(
    const at::Tensor& log_prob,
    const at::Tensor& old_log_prob,
    const at::Tensor& advantage,
    double clip
) {
    const auto ratio = (log_prob - old_log_prob).exp();
    return at::minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage);
}

std::unique_ptr<ActorCritic> make_ppo(const AgentContext& context, const PpoOptions& options) {
    return std::make_unique<PpoAgent>(context, options);
}

extern const AgentEntry ppo{
    .name = "ppo",
    .summary = "PPO: clipped policy gradient over slates, several passes per rollout",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<PpoOptions>,
    .make = &ppo_agent,
    .session_tokens = &session_tokens_of<PpoOptions>,
    .outlives_items = &outlives_items<PpoOptions>,
};

}  // namespace hg::policy
