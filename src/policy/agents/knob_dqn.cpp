// SPDX-License-Identifier: Apache-2.0
// Deep Q-learning (Mnih et al., 2015; double: van Hasselt et al., 2016) over a menu of knobs
// (knob_menu_net.hpp) instead of over items: which of a handful of ways to depart from greed is worth most to
// a user in this state.
//
//   y = R + g^n Q'(z', argmax_m Q(z', m));  loss = mean (Q(z, m) - y)^2 over all m that would have
//   shown the slate shown
//
// While it learns, with probability epsilon an entry of the menu is drawn instead of the best, and
// shows its whole slate; a slate that several entries would show has their sum as propensity. What a
// step does depends on the slate alone, so it teaches every entry that would have shown it.
#include "policy/knob_menu_net.hpp"
#include "policy/value_agent_net.hpp"

#include <algorithm>
#include <vector>

namespace hg::policy {
namespace {

constexpr std::int64_t lessons = 32;  // sessions of a batch that teach the belief

struct KnobDqnOptions : ValueAgentOptions {
    KnobDqnOptions() {
        network.head = "belief";
        network.session_length = 50;
        network.hidden = 32;
        network.learning_rate = 3e-3;
        n_step = 1;
        replay = 100'000;
        batch = 128;
        updates_per_step = 2;
        epsilon.start = 0.5;
    }

    static void describe(OptionBinder& bind, KnobDqnOptions& o) {
        auto& n = o.network;
        bind(
            "head",
            n.head,
            "the knobs of a belief of the session, or those of a server (worlds served:RUN)",
            {.choices = {"belief", "knobs"}}
        );
        bind("session_length", n.session_length, "answers looked back on", {.min = 1, .max = 512});
        bind("hidden", n.hidden, "width of the network", {.min = 1, .max = 4096});
        NetworkOptions::describe_learning(bind, n);
        ValueAgentOptions::describe_learning(bind, o);
    }
};

class KnobDqn final : public ValueAgent {
  public:
    KnobDqn(
        const AgentContext& context,
        const KnobDqnOptions& options,
        std::shared_ptr<KnobMenuNet> online,
        std::shared_ptr<KnobMenuNet> target
    )
        : ValueAgent(context, options, online, target),
          online_(std::move(online)),
          target_(std::move(target)) {}

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override {
        if (mode == Mode::exploit) {
            ValueAgent::act(seen, mode, rng, out);
            return;
        }
        const auto menu = menu_of(seen, static_cast<std::int64_t>(out.slates.cols()));
        const auto epsilon = rule(mode).epsilon;
        for (std::size_t u = 0; u < seen.size(); ++u) {
            const auto entry = rng.uniform() < epsilon ? rng.below(menu.size) : menu.best[u];
            const auto slate = menu.slate(u, entry);
            std::ranges::copy(slate, out.slates.row(u).begin());
            menu.factors(u, epsilon, slate, out.propensities.row(u));
        }
    }

    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override {
        if (mode == Mode::exploit) {
            ValueAgent::propensities(seen, mode, slates, out);
            return;
        }
        const auto menu = menu_of(seen, static_cast<std::int64_t>(slates.cols()));
        for (std::size_t u = 0; u < seen.size(); ++u) {
            menu.factors(u, rule(mode).epsilon, slates.row(u), out.row(u));
        }
    }

    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    ) override {
        return online_->begin_with(agent, options, weights) &&
               target_->begin_with(agent, options, weights);
    }

  protected:
    /// Those of the best entry.
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const at::NoGradGuard no_grad;
        const auto looked = online_->look(borrow(seen, world().n_candidates));
        const auto best = online_->values(looked.summary).argmax(1);
        const auto k = signed_size(world().slate_size);
        encode::to_matrix(online_->scores_of(looked, best, k).contiguous(), out);
    }

    at::Tensor loss(const ReplayBatch& batch) override {
        at::Tensor target;
        {
            const at::NoGradGuard no_grad;
            const auto judge = target_->values(target_->look(batch.after).summary);
            const auto chooser =
                options().double_q ? online_->values(online_->look(batch.after).summary) : judge;
            const auto best = chooser.argmax(1, true);
            target = batch.rewards + batch.discounts * judge.gather(1, best).squeeze(1);
        }
        const auto seen = online_->look(batch.before);
        const auto shown =
            online_->slates(seen, batch.slates.size(1)).eq(batch.slates.unsqueeze(1)).all(2);
        const auto squares = (online_->values(seen.summary) - target.unsqueeze(1)).pow(2);
        auto loss = (squares * shown).sum() / shown.sum().clamp_min(1);
        if (const auto belief =
                online_->next_answer_loss(batch.after.sessions.slice(0, 0, lessons));
            belief.defined()) {
            loss = loss + belief;
        }
        return loss;
    }

  private:
    /// What each entry of the menu would show to each user.
    struct Menu {
        std::size_t size = 0;
        std::vector<std::size_t> best;  // per user
        Matrix<std::uint32_t> slates;   // [users * size, k]

        [[nodiscard]] std::span<const std::uint32_t> slate(std::size_t user, std::size_t entry)
            const {
            return slates.row(user * size + entry);
        }

        /// P(slot | slots above): the share of the entries that show all slots so far.
        void factors(
            std::size_t user,
            double epsilon,
            std::span<const std::uint32_t> shown,
            std::span<double> out
        ) const {
            double above = 1;
            for (std::size_t slot = 0; slot < shown.size(); ++slot) {
                double share = 0;
                for (std::size_t entry = 0; entry < size; ++entry) {
                    const auto own = slate(user, entry);
                    if (std::ranges::equal(own.first(slot + 1), shown.first(slot + 1))) {
                        share += epsilon / static_cast<double>(size) +
                                 (entry == best[user] ? 1 - epsilon : 0);
                    }
                }
                out[slot] = above > 0 ? share / above : 0;
                above = share;
            }
        }
    };

    [[nodiscard]] Menu menu_of(const ObservationBatch& seen, std::int64_t k) const {
        const at::NoGradGuard no_grad;
        const auto looked = online_->look(borrow(seen, world().n_candidates));
        const auto slates = online_->slates(looked, k).contiguous();
        const auto best = online_->values(looked.summary).argmax(1).contiguous();
        Menu menu{.size = static_cast<std::size_t>(online_->size()), .best = {}, .slates = {}};
        menu.slates = Matrix<std::uint32_t>(seen.size() * menu.size, static_cast<std::size_t>(k));
        std::ranges::transform(
            std::span{slates.const_data_ptr<std::int64_t>(), menu.slates.values().size()},
            menu.slates.values().begin(),
            [](std::int64_t item) { return static_cast<std::uint32_t>(item); }
        );
        for (std::size_t u = 0; u < seen.size(); ++u) {
            menu.best.push_back(static_cast<std::size_t>(best.const_data_ptr<std::int64_t>()[u]));
        }
        return menu;
    }

    std::shared_ptr<KnobMenuNet> online_;
    std::shared_ptr<KnobMenuNet> target_;
};

std::unique_ptr<Agent> knob_dqn_agent(const AgentContext& context, const Settings& settings) {
    const auto options = settings.read<KnobDqnOptions>();
    seed_torch(context.rng);
    auto online = std::make_shared<KnobMenuNet>(context, options.network);
    auto target = std::make_shared<KnobMenuNet>(context, options.network);
    return std::make_unique<KnobDqn>(context, options, std::move(online), std::move(target));
}

}  // namespace

extern const AgentEntry knob_dqn{
    .name = "knob_dqn",
    .summary = "deep Q-learning over a menu of knobs: how far to go beyond a belief, by its state",
    .facts = AgentFact::learns,
    .options = &describe_options<KnobDqnOptions>,
    .make = &knob_dqn_agent,
    .session_tokens = &session_tokens_of<KnobDqnOptions>,
    .outlives_items = &outlives_items<KnobDqnOptions>,
};

}  // namespace hg::policy
