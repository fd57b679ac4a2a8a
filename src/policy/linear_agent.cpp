// SPDX-License-Identifier: Apache-2.0
#include "policy/linear_agent.hpp"

#include <algorithm>
#include <numeric>

namespace hg::policy {
namespace {

constexpr std::size_t widest_outer = 100;

}  // namespace

LinearAgent::LinearAgent(const AgentContext& context, const LinearOptions& options)
    : ScoredAgent(context.world) {
    const auto n_user = context.world.user_size;
    const auto n_item = context.world.item_size;
    const auto n_outer = (n_user + 1) * (n_item + 1);
    const bool outer =
        options.features == "outer" || (options.features == "auto" && n_outer <= widest_outer);
    const bool product = options.features == "product" || options.features == "auto";
    std::size_t d = n_item + 1;
    if (outer) {
        kind_ = Features::outer;
        d = n_outer;
    } else if (product && n_user == n_item) {
        kind_ = Features::product;
        d = 2 * n_item + 1;
    }
    inverse_ = Matrix<double>(d, d);
    for (std::size_t i = 0; i < d; ++i) {
        inverse_(i, i) = 1 / options.ridge;
    }
    b_.resize(d);
    theta_.resize(d);
    x_.resize(d);
    work_.resize(d);
}

void LinearAgent::observe(const TransitionBatch& step, Rng& rng, const MetricSink& /*log*/) {
    for_each_credit(step, [&](std::size_t u, std::uint32_t candidate, double share) {
        add(features(step.before, u, candidate), share * step.rewards[u]);
    });
    refresh(rng);
}

void LinearAgent::save(SafetensorsWriter& weights, Save /*what*/) const {
    weights.add("inverse", inverse_.view());
    weights.add("b", std::span<const double>{b_});
    const std::vector<double> counts{n_rows_, squared_error_};
    weights.add("counts", std::span<const double>{counts});
}

void LinearAgent::load(const SafetensorsFile& weights, Save /*what*/) {
    const auto inverse = value_or_throw(weights.matrix<double>("inverse"));
    const auto b = value_or_throw(weights.values<double>("b"));
    const auto counts = value_or_throw(weights.values<double>("counts"));
    if (inverse.rows() != dim() || inverse.cols() != dim() || b.size() != dim() ||
        counts.size() != 2) {
        throw Error{
            ErrorCode::corrupt,
            "the run's regression has another number of features than this world",
            "use the world it was learned in"
        };
    }
    std::copy_n(inverse.data(), dim() * dim(), inverse_.values().data());
    std::ranges::copy(b, b_.begin());
    n_rows_ = counts[0];
    squared_error_ = counts[1];
    for (std::size_t i = 0; i < dim(); ++i) {
        const auto row = inverse_.row(i);
        theta_[i] = std::inner_product(row.begin(), row.end(), b_.begin(), 0.0);
    }
    Rng rng{0};
    refresh(rng);
}

double LinearAgent::noise_variance() const {
    return n_rows_ > 0 ? std::max(1e-8, squared_error_ / n_rows_) : 1;
}

std::span<const double> LinearAgent::features(
    const ObservationBatch& seen, std::size_t u, std::size_t i
) {
    const auto user = seen.users.row(u);
    const auto item = seen.items.row(u * world().n_candidates + i);
    std::size_t at = 0;
    x_[at++] = 1;
    for (const float value : item) {
        x_[at++] = static_cast<double>(value);
    }
    if (kind_ == Features::product) {
        for (std::size_t j = 0; j < item.size(); ++j) {
            x_[at++] = static_cast<double>(user[j]) * static_cast<double>(item[j]);
        }
    }
    if (kind_ == Features::outer) {
        for (const float of_user : user) {
            x_[at++] = static_cast<double>(of_user);
            for (const float of_item : item) {
                x_[at++] = static_cast<double>(of_user) * static_cast<double>(of_item);
            }
        }
    }
    return x_;
}

double LinearAgent::predict(std::span<const double> x) const {
    return std::inner_product(x.begin(), x.end(), theta_.begin(), 0.0);
}

double LinearAgent::leverage(std::span<const double> x) const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] != 0) {
            const auto row = inverse_.row(i);
            sum += x[i] * std::inner_product(row.begin(), row.end(), x.begin(), 0.0);
        }
    }
    return std::max(0.0, sum);
}

void LinearAgent::add(std::span<const double> x, double reward) {
    const double error = reward - predict(x);
    n_rows_ += 1;
    for (std::size_t i = 0; i < dim(); ++i) {
        const auto row = inverse_.row(i);
        work_[i] = std::inner_product(row.begin(), row.end(), x.begin(), 0.0);
    }
    const double scale = 1 + std::inner_product(x.begin(), x.end(), work_.begin(), 0.0);
    squared_error_ += error * error / scale;
    for (std::size_t i = 0; i < dim(); ++i) {
        const double gain = work_[i] / scale;
        const auto row = inverse_.row(i);
        for (std::size_t j = 0; j < dim(); ++j) {
            row[j] -= gain * work_[j];
        }
        theta_[i] += gain * error;
        b_[i] += reward * x[i];
    }
}

}  // namespace hg::policy
