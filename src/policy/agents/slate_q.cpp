// SPDX-License-Identifier: Apache-2.0
// SlateQ (Ie et al., 2019): the value of a slate is the value of the items clicked in it, each with
// the chance that the user clicks it:
//
//   Q(s, A) = sum_i P(i | s, A) Q(s, i) + P(none | s, A) Q(s, none),   P ~ exp(v(s, i)), exp(v0)
//
// The choice model v is learned beside Q by the log loss of what was clicked (the paper assumes it
// given, or fits it apart). Deviation: the paper sets Q(s, none) = 0; we learn it, because a slate
// nobody clicks is followed by another one. Slates are built greedily, the item that adds most
// first (the paper's greedy; its exact linear program is within .1 % of it).
#include "policy/value_agent_net.hpp"

namespace hg::policy {
namespace {

/// Two networks in one: Q per item and of no click, and the choice model.
struct SlateQNet : torch::nn::Module {
    SlateQNet(const AgentContext& context, const NetworkOptions& options) {
        value = register_module("value", std::make_shared<AgentNet>(context, options));
        choice = register_module("choice", std::make_shared<AgentNet>(context, options));
        no_click = register_parameter("no_click", torch::zeros({1}));
    }

    struct Output {
        at::Tensor q;       // [B, n]
        at::Tensor q_none;  // [B]
        at::Tensor v;       // [B, n] logits; no click has no_click
    };

    Output forward(const NetInput& in) {
        const auto of_value = value->forward(in);
        return {
            // One state value under all of them, so that items differ by what they add to it.
            .q = of_value.value.unsqueeze(1) + of_value.scores,
            .q_none = of_value.value,
            .v = choice->forward(in).scores,
        };
    }

    std::shared_ptr<AgentNet> value;
    std::shared_ptr<AgentNet> choice;
    at::Tensor no_click;
};

struct Built {
    at::Tensor slate;  // [B, k]
    at::Tensor value;  // [B] by the same network
};

/// Slot after slot the item that raises the slate's value most.
Built build_slate(const SlateQNet::Output& out, const at::Tensor& no_click, std::int64_t k) {
    const auto weight = (out.v - out.v.amax(1, true)).exp();  // [B, n]
    const auto none = (no_click - out.v.amax(1)).exp();       // [B]
    auto top = none * out.q_none;
    auto bottom = none;
    auto gain = weight * out.q;
    auto open = at::ones_like(weight, at::kBool);
    std::vector<at::Tensor> slots;
    for (std::int64_t slot = 0; slot < k; ++slot) {
        const auto value = (top.unsqueeze(1) + gain) / (bottom.unsqueeze(1) + weight);
        const auto best = value.masked_fill(open.logical_not(), -1e9).argmax(1, true);  // [B, 1]
        top = top + gain.gather(1, best).squeeze(1);
        bottom = bottom + weight.gather(1, best).squeeze(1);
        open = open.scatter(1, best, false);
        slots.push_back(best);
    }
    return {.slate = at::cat(slots, 1), .value = top / bottom};
}

/// The value of given slates.
at::Tensor slate_value(
    const SlateQNet::Output& out, const at::Tensor& no_click, const at::Tensor& slates
) {
    const auto v = at::cat({out.v.gather(1, slates), no_click.expand({slates.size(0), 1})}, 1);
    const auto q = at::cat({out.q.gather(1, slates), out.q_none.unsqueeze(1)}, 1);
    return (v.softmax(1) * q).sum(1);
}

class SlateQAgent final : public ValueAgent {
  public:
    SlateQAgent(
        const AgentContext& context,
        const ValueAgentOptions& options,
        std::shared_ptr<SlateQNet> online,
        std::shared_ptr<SlateQNet> target
    )
        : ValueAgent(context, options, online, target),
          online_net_(std::move(online)),
          target_net_(std::move(target)) {}

  protected:
    /// The slate's items score k, k - 1, ... 1, the others 0.
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const at::NoGradGuard no_grad;
        const auto values = online_net_->forward(borrow(seen, world().n_candidates));
        const auto k = static_cast<std::int64_t>(world().slate_size);
        const auto built = build_slate(values, online_net_->no_click, k);
        const auto ranks = at::arange(k, 0, -1, at::kFloat).expand({built.slate.size(0), k});
        encode::to_matrix(at::zeros_like(values.q).scatter(1, built.slate, ranks), out);
    }

    at::Tensor loss(const ReplayBatch& batch) override {
        const auto k = batch.slates.size(1);
        at::Tensor target;
        {
            const at::NoGradGuard no_grad;
            const auto judge = target_net_->forward(batch.after);
            const auto chooser = options().double_q ? online_net_->forward(batch.after) : judge;
            const auto best = build_slate(chooser, online_net_->no_click, k).slate;
            target =
                batch.rewards + batch.discounts * slate_value(judge, target_net_->no_click, best);
        }
        const auto out = online_net_->forward(batch.before);
        const auto any = batch.clicked.sum(1);
        const auto chosen = at::where(any > 0, batch.clicked.argmax(1), k);  // k = no click
        const auto q = at::cat({out.q.gather(1, batch.slates), out.q_none.unsqueeze(1)}, 1);
        const auto v = at::cat(
            {out.v.gather(1, batch.slates), online_net_->no_click.expand({q.size(0), 1})}, 1
        );
        auto loss = at::mse_loss(q.gather(1, chosen.unsqueeze(1)).squeeze(1), target) +
                    at::cross_entropy_loss(v, chosen);
        for (const auto& part : {online_net_->value, online_net_->choice}) {
            if (const auto extra = part->encoder->auxiliary_loss(); extra.defined()) {
                loss = loss + extra;
            }
        }
        return loss;
    }

  private:
    std::shared_ptr<SlateQNet> online_net_;
    std::shared_ptr<SlateQNet> target_net_;
};

std::unique_ptr<Agent> slate_q_agent(const AgentContext& context, const Settings& settings) {
    auto options = settings.read<ValueAgentOptions>();
    seed_torch(context.rng);
    const auto shared = with_trunk(context, options.network);
    auto online = std::make_shared<SlateQNet>(shared, options.network);
    auto target = std::make_shared<SlateQNet>(shared, options.network);
    return std::make_unique<SlateQAgent>(context, options, std::move(online), std::move(target));
}

}  // namespace

extern const AgentEntry slate_q{
    .name = "slate_q",
    .summary = "SlateQ: a slate's value from its items' values and a learned choice model",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<ValueAgentOptions>,
    .make = &slate_q_agent,
    .session_tokens = &session_tokens_of<ValueAgentOptions>,
};

}  // namespace hg::policy
