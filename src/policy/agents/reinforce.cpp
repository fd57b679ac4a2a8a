// SPDX-License-Identifier: Apache-2.0
// REINFORCE (Williams, 1992) with a learned baseline and the top-K correction of YouTube's
// recommender (Chen et al., 2019, equation 6): an item is in a slate of K with probability
// alpha = 1 - (1 - pi)^K, so what a clicked item earned moves its score by
//
//   K (1 - pi(a))^(K - 1) A grad log pi(a)
//
// Returns are whole (lambda = 1), cut at the end of a rollout by the baseline. A slate nobody
// clicked is credited to all its items alike (the paper leaves it out, but here it carries an
// advantage too). `top_k_correction = false` takes the gradient of the whole slate instead.
#include "policy/policy_gradient_net.hpp"

namespace hg::policy {
namespace {

class ReinforceAgent final : public ActorCritic {
  public:
    ReinforceAgent(const AgentContext& context, const ReinforceOptions& options)
        : ActorCritic(context, options), top_k_(options.top_k_correction) {}

  protected:
    void update(const Rollout& rollout, Rng& /*rng*/, const MetricSink& log) override {
        const auto [advantage, target] = advantages(rollout, 1);
        const auto out = net().forward(rollout.before);
        const auto gain = top_k_ ? top_k_log_prob(out.scores, rollout.slates, rollout.clicked)
                                 : slate_log_prob(out.scores, rollout.slates);
        const auto loss = regularised(-(gain * advantage).mean(), out, target);
        descend(loss);
        log("loss", loss.item<double>());
    }

  private:
    bool top_k_;
};

std::unique_ptr<Agent> reinforce_agent(const AgentContext& context, const Settings& settings) {
    return make_reinforce(context, settings.read<ReinforceOptions>());
}

}  // namespace

at::Tensor top_k_log_prob(
    const at::Tensor& scores, const at::Tensor& slates, const at::Tensor& clicked
) {
    const auto k = static_cast<double>(slates.size(1));
    const auto log_pi = at::log_softmax(scores, 1).gather(1, slates);  // [B, K]
    const auto factor = (k * (1 - log_pi.exp()).pow(k - 1)).detach();
    const auto any = clicked.sum(1, true);
    const auto credit = at::where(any > 0, clicked, at::ones_like(clicked) / k);
    return (factor * credit * log_pi).sum(1);
}

std::unique_ptr<ActorCritic> make_reinforce(
    const AgentContext& context, const ReinforceOptions& options
) {
    return std::make_unique<ReinforceAgent>(context, options);
}

extern const AgentEntry reinforce{
    .name = "reinforce",
    .summary = "REINFORCE with a baseline and the top-K correction",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<ReinforceOptions>,
    .make = &reinforce_agent,
    .session_tokens = &session_tokens_of<ReinforceOptions>,
    .outlives_items = &outlives_items<ReinforceOptions>,
};

}  // namespace hg::policy
