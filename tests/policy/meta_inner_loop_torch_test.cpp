// SPDX-License-Identifier: Apache-2.0
// Inner and outer loops against gradients known by other means: finite differences, algebra, a
// grid.
#include "policy/meta/gaussian_product_net.hpp"
#include "policy/meta/inner_loop_net.hpp"

#include <torch/autograd.h>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace hg::policy {
namespace {

/// In double, so that finite differences mean something.
Weights in_double(const Weights& weights) {
    Weights out;
    for (const auto& w : weights) {
        out.push_back(w.detach().to(at::kDouble).requires_grad_());
    }
    return out;
}

EventTensors random_events(std::int64_t n_tasks, std::int64_t n, std::int64_t d) {
    return {
        at::randn({n_tasks, n, d}, at::kDouble),
        at::randn({n_tasks, n}, at::kDouble),
        at::ones({n_tasks, n}, at::kDouble)
    };
}

struct Case {
    TaskBatch batch;
    Weights theta;
    InnerLoop inner;
};

Case make_case(std::int64_t layers) {
    at::manual_seed(1);
    auto theta =
        in_double(make_mlp({.inputs = 3, .hidden = 5, .layers = layers, .head_scale = 1}, Rng{2}));
    Case c{
        .batch = {.support = random_events(4, 6, 3), .query = random_events(4, 5, 3)},
        .theta = std::move(theta),
        .inner = {.steps = 3, .rate = 0.1, .adapted = Adapted::all, .order = Order::second},
    };
    // One task has a shorter support: what is masked must not count.
    c.batch.support.mask.index_put_({0, 5}, 0.0);
    c.batch.support.mask.index_put_({0, 4}, 0.0);
    return c;
}

at::Tensor outer_loss(const Case& c, const Weights& rates = {}) {
    const auto adapted = adapt_weights(c.theta, c.batch.support, c.inner, rates);
    return masked_mean_square(forward(adapted, c.batch.query.inputs).squeeze(-1), c.batch.query);
}

/// Central differences of f in each element of w.
at::Tensor finite_difference(const at::Tensor& w, const std::function<double()>& f) {
    constexpr double h = 1e-5;
    auto gradient = at::empty_like(w, at::TensorOptions{}.requires_grad(false));
    auto* values = w.mutable_data_ptr<double>();
    auto* out = gradient.mutable_data_ptr<double>();
    for (std::int64_t i = 0; i < w.numel(); ++i) {
        const double kept = values[i];
        values[i] = kept + h;
        const double up = f();
        values[i] = kept - h;
        const double down = f();
        values[i] = kept;
        out[i] = (up - down) / (2 * h);
    }
    return gradient;
}

double largest_gap(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
}

/// Between autograd and finite differences, over all weights.
double largest_gap(const Case& c) {
    const auto gradients = torch::autograd::grad({outer_loss(c)}, c.theta);
    double gap = 0;
    for (std::size_t i = 0; i < c.theta.size(); ++i) {
        const auto exact =
            finite_difference(c.theta[i], [&c] { return outer_loss(c).item<double>(); });
        gap = std::max(gap, largest_gap(gradients[i], exact));
    }
    return gap;
}

TEST(InnerLoop, the_second_order_gradient_of_maml_equals_finite_differences) {
    auto c = make_case(2);

    EXPECT_LT(largest_gap(c), 1e-8);

    c.inner.loss = SupportLoss::mean;
    EXPECT_LT(largest_gap(c), 1e-8);
}

TEST(InnerLoop, the_first_order_gradient_is_another) {
    auto c = make_case(2);
    c.inner.order = Order::first;

    EXPECT_GT(largest_gap(c), 1e-2);
}

TEST(InnerLoop, the_first_order_gradient_is_that_of_the_adapted_weights_added_over_tasks) {
    auto c = make_case(2);
    c.inner.order = Order::first;
    Weights adapted;
    for (const auto& w : adapt_weights(c.theta, c.batch.support, c.inner)) {
        adapted.push_back(w.detach().requires_grad_());
    }
    const auto loss =
        masked_mean_square(forward(adapted, c.batch.query.inputs).squeeze(-1), c.batch.query);
    const auto at_adapted = torch::autograd::grad({loss}, adapted);

    const auto gradients = torch::autograd::grad({outer_loss(c)}, c.theta);

    for (std::size_t i = 0; i < gradients.size(); ++i) {
        EXPECT_LT(largest_gap(gradients[i], at_adapted[i].sum(0)), 1e-12) << i;
    }
}

TEST(InnerLoop, the_gradient_of_anil_equals_finite_differences_and_its_body_stays) {
    auto c = make_case(1);
    c.inner.adapted = Adapted::head;

    EXPECT_LT(largest_gap(c), 1e-8);
    const auto adapted = adapt_weights(c.theta, c.batch.support, c.inner);
    EXPECT_EQ(largest_gap(adapted[0], c.theta[0]), 0);
    EXPECT_GT(largest_gap(adapted[2][0], c.theta[2]), 1e-3);
}

/// w' = w - a P'(P w - y), P = (x / sqrt d, 1): the outer gradient is (I - a P'P) times the
/// queries'.
TEST(InnerLoop, one_step_on_a_linear_task_is_the_algebra) {
    auto c = make_case(0);
    c.inner.steps = 1;
    const double a = c.inner.rate;
    const auto design = [](const EventTensors& events, std::int64_t task) {
        const auto x = events.inputs[task] / std::sqrt(3.0);
        return at::cat({x, at::ones({x.size(0), 1}, at::kDouble)}, 1);
    };
    const auto w = at::cat({c.theta[0][0], c.theta[1]}).detach();
    auto expected = at::zeros_like(w);
    for (std::int64_t task = 0; task < 4; ++task) {
        const auto mask = c.batch.support.mask[task].unsqueeze(1);
        const auto p = design(c.batch.support, task) * mask;
        const auto y = c.batch.support.targets[task] * mask.squeeze(1);
        const auto adapted = w - a * at::matmul(p.t(), at::matmul(p, w) - y);
        const auto q = design(c.batch.query, task);
        const auto error = at::matmul(q, adapted) - c.batch.query.targets[task];
        const auto query_gradient = 2 * at::matmul(q.t(), error) / 20;  // 4 tasks of 5 queries
        const auto through = at::eye(4, at::kDouble) - a * at::matmul(p.t(), p);
        expected += at::matmul(through, query_gradient);
    }

    const auto gradients = torch::autograd::grad({outer_loss(c)}, c.theta);

    EXPECT_LT(largest_gap(at::cat({gradients[0][0], gradients[1]}), expected), 1e-12);
}

/// With one step, d L_Q / d rate_i = - (gradient of L_Q)_i (gradient of L_S)_i.
TEST(InnerLoop, meta_sgd_learns_its_rates_by_the_product_of_both_gradients) {
    auto c = make_case(1);
    c.inner.adapted = Adapted::head;
    c.inner.steps = 1;
    Weights rates;
    for (std::size_t i = 2; i < 4; ++i) {
        rates.push_back(at::full_like(c.theta[i], 0.05).requires_grad_());
    }

    const auto gradients = torch::autograd::grad({outer_loss(c, rates)}, rates);

    for (std::size_t i = 0; i < rates.size(); ++i) {
        const auto exact =
            finite_difference(rates[i], [&] { return outer_loss(c, rates).item<double>(); });
        EXPECT_LT(largest_gap(gradients[i], exact), 1e-8);
    }
    const auto adapted = adapt_weights(c.theta, c.batch.support, c.inner, rates);
    Weights moved{adapted.end() - 1, adapted.end()};  // the bias of each task, [B, 1]
    const auto outer = torch::autograd::grad(
        {masked_mean_square(forward(adapted, c.batch.query.inputs).squeeze(-1), c.batch.query)},
        moved,
        {},
        true
    );
    const auto inner_gradient = (c.theta[3] - adapted[3]) / rates[1];  // [B, 1]
    const auto expected = -(outer[0] * inner_gradient).sum(0);
    EXPECT_LT(largest_gap(gradients[1], expected), 1e-10);
}

TEST(InnerLoop, reptile_moves_by_the_mean_of_adapted_less_initial) {
    auto c = make_case(1);
    c.inner.order = Order::first;
    Weights before;
    for (const auto& w : c.theta) {
        before.push_back(w.detach().clone());
    }
    const auto adapted = adapt_weights(c.theta, c.batch.support, c.inner);

    move_towards(c.theta, adapted, 0.25);

    for (std::size_t i = 0; i < c.theta.size(); ++i) {
        auto mean = at::zeros_like(before[i]);
        for (std::int64_t task = 0; task < 4; ++task) {
            mean += (adapted[i][task].detach() - before[i]) / 4;
        }
        EXPECT_LT(largest_gap(c.theta[i], before[i] + 0.25 * mean), 1e-12);
    }
}

TEST(InnerLoop, no_steps_and_no_events_change_nothing) {
    auto c = make_case(1);
    c.batch.support.mask.zero_();

    const auto adapted = adapt_weights(c.theta, c.batch.support, c.inner);

    for (std::size_t i = 0; i < c.theta.size(); ++i) {
        EXPECT_EQ(largest_gap(adapted[i][0], c.theta[i]), 0);
    }
}

/// The product, normalised on a grid, has the mean and variance that the sums say.
TEST(GaussianProduct, equals_the_normalised_product_on_a_grid) {
    const std::vector<std::pair<double, double>> factors{{0.7, 2.0}, {-0.4, 0.5}, {1.5, 3.0}};
    double weighted = 0;
    double precision = 0;
    for (const auto& [mu, p] : factors) {
        weighted += p * mu;
        precision += p;
    }
    double mass = 0;
    double first = 0;
    double second = 0;
    for (double z = -8; z <= 8; z += 1e-3) {
        double log_density = -z * z / 2;
        for (const auto& [mu, p] : factors) {
            log_density -= p * (z - mu) * (z - mu) / 2;
        }
        const double density = std::exp(log_density);
        mass += density;
        first += z * density;
        second += z * z * density;
    }

    const auto q = product_with_prior(at::tensor({weighted, precision}, at::kDouble).view({1, 2}));

    EXPECT_NEAR(q.mean.item<double>(), first / mass, 1e-9);
    EXPECT_NEAR(q.variance.item<double>(), second / mass - std::pow(first / mass, 2), 1e-9);
}

TEST(GaussianProduct, of_nothing_is_the_prior) {
    const auto q = product_with_prior(at::zeros({1, 4}));

    EXPECT_EQ(q.mean.abs().max().item<double>(), 0);
    EXPECT_EQ(q.variance.min().item<double>(), 1);
}

}  // namespace
}  // namespace hg::policy
