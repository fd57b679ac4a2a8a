// SPDX-License-Identifier: Apache-2.0
// LinearAgent: a ridge regression of the reward on features of user and item, kept up to date by
// rank-1 updates: what LinUCB, linear Thompson and SquareCB share.
//
//   A <- A + x x',  b <- b + r x,  theta = A^-1 b          (Sherman and Morrison, 1950: O(d^2))
//
// Features x(u, i): `item` = the item's numbers and 1; `product` = these and, where user and item
// have equally many numbers, their product number by number; `outer` = every number of the user
// (and 1) times every number of the item (and 1). `auto` takes outer up to 100 numbers, else
// product. A slate's reward is split evenly over its clicked slots, over all where none was clicked.
#pragma once

#include "policy/scored_agent.hpp"

#include <string>
#include <vector>

namespace hg::policy {

struct LinearOptions {
    std::string features = "auto";
    double ridge = 1;

    static void describe(OptionBinder& bind, LinearOptions& o) {
        bind(
            "features",
            o.features,
            "of a user and an item",
            {.choices = {"auto", "item", "product", "outer"}}
        );
        bind("ridge", o.ridge, "L2 penalty: the prior precision", {.min = 1e-6, .max = 1e6});
    }
};

class LinearAgent : public ScoredAgent {
  public:
    LinearAgent(const AgentContext& context, const LinearOptions& options);

    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) override;
    void save(SafetensorsWriter& weights, Save what) const override;
    void load(const SafetensorsFile& weights, Save what) override;

  protected:
    [[nodiscard]] std::size_t dim() const noexcept { return theta_.size(); }

    [[nodiscard]] const std::vector<double>& theta() const noexcept { return theta_; }

    [[nodiscard]] double n_rows() const noexcept { return n_rows_; }

    /// Estimated noise variance of a reward, from the residuals so far.
    [[nodiscard]] double noise_variance() const;

    /// x of candidate i of user u; borrowed until the next call.
    std::span<const double> features(const ObservationBatch& seen, std::size_t u, std::size_t i);
    [[nodiscard]] double predict(std::span<const double> x) const;
    /// x' A^-1 x.
    [[nodiscard]] double leverage(std::span<const double> x) const;

    /// A^-1, [d, d].
    [[nodiscard]] const Matrix<double>& inverse() const noexcept { return inverse_; }

    /// Called after theta changed.
    virtual void refresh(Rng& /*rng*/) {}

  private:
    enum class Features : std::uint8_t { item, product, outer };

    void add(std::span<const double> x, double reward);

    Features kind_ = Features::item;
    Matrix<double> inverse_;
    std::vector<double> b_;
    std::vector<double> theta_;
    std::vector<double> x_;
    std::vector<double> work_;
    double n_rows_ = 0;
    double squared_error_ = 0;  // of predictions made before each update
};

}  // namespace hg::policy
