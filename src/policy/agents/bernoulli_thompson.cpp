// SPDX-License-Identifier: Apache-2.0
// Thompson sampling for clicks (Thompson, 1933; Chapelle and Li, 2011): Beta(1 + clicks, 1 + rest)
// per item.
#include "policy/item_means.hpp"
#include "policy/posterior_draws.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::policy {
namespace {

struct BernoulliThompsonOptions {
    std::int64_t draws = 64;

    static void describe(OptionBinder& bind, BernoulliThompsonOptions& o) {
        bind("draws", o.draws, "posterior draws a decision is made from", {.min = 1, .max = 10000});
    }
};

/// Marsaglia and Tsang (2000), shape >= 1.
double gamma_draw(double shape, Rng& rng) {
    const double d = shape - 1.0 / 3;
    const double c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = rng.normal();
        const double v = std::pow(1 + c * x, 3);
        if (v > 0 && std::log(1 - rng.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
            return d * v;
        }
    }
}

class BernoulliThompsonAgent final : public ItemMeansAgent {
  public:
    BernoulliThompsonAgent(const AgentContext& context, const BernoulliThompsonOptions& options)
        : ItemMeansAgent(context),
          draws_(static_cast<std::size_t>(options.draws), context.world.n_items) {
        if (context.world.reward_low < 0 || context.world.reward_high > 1) {
            throw Error{
                ErrorCode::invalid_argument,
                "agent bernoulli_thompson does not fit this world: its rewards are not clicks (0 "
                "or 1)",
                "use linear_thompson or square_cb"
            };
        }
        Rng rng = context.rng;
        refresh(rng);
    }

  protected:
    void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) override {
        wins_.resize(out.cols());
        for (std::size_t u = 0; u < out.rows(); ++u) {
            if (mode == Mode::exploit) {
                for (std::size_t i = 0; i < out.cols(); ++i) {
                    const auto item = seen.item_ids(u, i);
                    out(u, i) = static_cast<float>((1 + earned(item)) / (2 + shown(item)));
                }
                continue;
            }
            count_wins(seen.item_ids.row(u));
            for (std::size_t i = 0; i < out.cols(); ++i) {
                out(u, i) = PosteriorDraws::log_share(wins_[i], static_cast<double>(out.cols()));
            }
        }
    }

    SlateRule rule(Mode mode) const override {
        return {.draw = mode == Mode::explore ? SlateDraw::softmax : SlateDraw::greedy};
    }

    void refresh(Rng& rng) override {
        for (std::size_t item = 0; item < draws_.cols(); ++item) {
            const double clicks = 1 + earned(item);
            const double rest = 1 + std::max(0.0, shown(item) - earned(item));
            for (std::size_t d = 0; d < draws_.rows(); ++d) {
                const double a = gamma_draw(clicks, rng);
                draws_(d, item) = static_cast<float>(a / (a + gamma_draw(rest, rng)));
            }
        }
    }

  private:
    void count_wins(std::span<const std::uint32_t> items) {
        std::ranges::fill(wins_, 0.0);
        for (std::size_t d = 0; d < draws_.rows(); ++d) {
            std::size_t best = 0;
            for (std::size_t i = 1; i < items.size(); ++i) {
                best = draws_(d, items[i]) > draws_(d, items[best]) ? i : best;
            }
            wins_[best] += 1;
        }
    }

    Matrix<float> draws_;  // [draws, n_items]
    std::vector<double> wins_;
};

std::unique_ptr<Agent> bernoulli_thompson_agent(
    const AgentContext& context, const Settings& settings
) {
    return std::make_unique<BernoulliThompsonAgent>(
        context, settings.read<BernoulliThompsonOptions>()
    );
}

}  // namespace

extern const AgentEntry bernoulli_thompson{
    .name = "bernoulli_thompson",
    .summary = "Thompson sampling: each item as often as it is believed to be the best",
    .facts = AgentFact::learns | AgentFact::needs_item_ids,
    .options = &describe_options<BernoulliThompsonOptions>,
    .make = &bernoulli_thompson_agent,
};

}  // namespace hg::policy
