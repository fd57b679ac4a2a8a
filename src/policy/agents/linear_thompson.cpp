// SPDX-License-Identifier: Apache-2.0
// Linear Thompson sampling (Agrawal and Goyal, 2013): theta ~ N(theta_hat, v^2 s^2 A^-1).
#include "policy/linear_agent.hpp"
#include "policy/posterior_draws.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::policy {
namespace {

struct LinearThompsonOptions {
    LinearOptions linear;
    double spread = 1;
    std::int64_t draws = 32;

    static void describe(OptionBinder& bind, LinearThompsonOptions& o) {
        LinearOptions::describe(bind, o.linear);
        bind("spread", o.spread, "scale of the posterior", {.min = 0, .max = 100});
        bind("draws", o.draws, "posterior draws a decision is made from", {.min = 1, .max = 10000});
    }
};

class LinearThompsonAgent final : public LinearAgent {
  public:
    LinearThompsonAgent(const AgentContext& context, const LinearThompsonOptions& options)
        : LinearAgent(context, options.linear),
          spread_(options.spread),
          draws_(static_cast<std::size_t>(options.draws), dim()),
          factor_(dim(), dim()) {
        Rng rng = context.rng;
        refresh(rng);
    }

  protected:
    void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) override {
        const auto n = out.cols();
        values_.resize(draws_.rows() * n);
        for (std::size_t u = 0; u < out.rows(); ++u) {
            for (std::size_t i = 0; i < n; ++i) {
                const auto x = features(seen, u, i);
                if (mode == Mode::exploit) {
                    out(u, i) = static_cast<float>(predict(x));
                    continue;
                }
                for (std::size_t d = 0; d < draws_.rows(); ++d) {
                    const auto theta = draws_.row(d);
                    values_[d * n + i] = std::inner_product(x.begin(), x.end(), theta.begin(), 0.0);
                }
            }
            if (mode == Mode::explore) {
                count_wins(out.row(u));
            }
        }
    }

    SlateRule rule(Mode mode) const override {
        return {.draw = mode == Mode::explore ? SlateDraw::softmax : SlateDraw::greedy};
    }

    void refresh(Rng& rng) override {
        factorise();
        const double scale = spread_ * std::sqrt(noise_variance());
        std::vector<double> noise(dim());
        for (std::size_t d = 0; d < draws_.rows(); ++d) {
            for (double& value : noise) {
                value = rng.normal();
            }
            for (std::size_t i = 0; i < dim(); ++i) {
                const auto row = factor_.row(i).first(i + 1);
                draws_(d, i) =
                    theta()[i] +
                    scale * std::inner_product(row.begin(), row.end(), noise.begin(), 0.0);
            }
        }
    }

  private:
    /// Cholesky: A^-1 = L L'.
    void factorise() {
        const auto& a = inverse();
        for (std::size_t i = 0; i < dim(); ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                double sum = a(i, j);
                for (std::size_t k = 0; k < j; ++k) {
                    sum -= factor_(i, k) * factor_(j, k);
                }
                factor_(i, j) = i == j ? std::sqrt(std::max(sum, 1e-15)) : sum / factor_(j, j);
            }
        }
    }

    void count_wins(std::span<float> out) {
        wins_.assign(out.size(), 0);
        for (std::size_t d = 0; d < draws_.rows(); ++d) {
            const std::span<const double> row{values_.data() + d * out.size(), out.size()};
            wins_[static_cast<std::size_t>(std::ranges::max_element(row) - row.begin())] += 1;
        }
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = PosteriorDraws::log_share(wins_[i], static_cast<double>(out.size()));
        }
    }

    double spread_;
    Matrix<double> draws_;   // [draws, d]
    Matrix<double> factor_;  // lower triangle
    std::vector<double> values_;
    std::vector<double> wins_;
};

std::unique_ptr<Agent> linear_thompson_agent(
    const AgentContext& context, const Settings& settings
) {
    return std::make_unique<LinearThompsonAgent>(context, settings.read<LinearThompsonOptions>());
}

}  // namespace

extern const AgentEntry linear_thompson{
    .name = "linear_thompson",
    .summary = "linear Thompson sampling: items as often as draws of the regression prefer them",
    .facts = AgentFact::learns,
    .options = &describe_options<LinearThompsonOptions>,
    .make = &linear_thompson_agent,
};

}  // namespace hg::policy
