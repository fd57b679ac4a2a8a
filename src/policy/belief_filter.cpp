// SPDX-License-Identifier: Apache-2.0
#include "policy/belief_filter_net.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/linalg_solve_triangular.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/softplus.h>

#include <cmath>
#include <numbers>

namespace hg::policy {
namespace {

constexpr double first_deviation = 0.5;  // of a preference, before anything is learned
constexpr double first_noise = 0.25;     // variance of a fair coin
constexpr double least_noise = 1e-3;     // answers that never vary would drive it to 0
constexpr double first_remembered = 6;   // logit: .9975 per answer
constexpr double jitter = 1e-4;          // keeps a precision positive definite in float32

/// [..., item_size] -> [..., item_size + 1]
at::Tensor with_one(const at::Tensor& items) {
    auto sizes = items.sizes().vec();
    sizes.back() = 1;
    return at::cat({items, at::ones(sizes, items.options())}, -1);
}

/// x with softplus(x) = y.
double inverse_softplus(double y) {
    return std::log(std::expm1(y));
}

}  // namespace

BeliefFilterNet::BeliefFilterNet(std::int64_t item_size, Answer answer) : answer_(answer) {
    const auto d = item_size + 1;
    mean = register_parameter("mean", at::zeros({d}));
    factor = register_parameter("factor", at::eye(d) * inverse_softplus(1 / first_deviation));
    log_noise = register_parameter("log_noise", at::full({1}, std::log(first_noise)));
    remembered = register_parameter("remembered", at::full({1}, first_remembered));
}

BeliefFilterNet::Evidence BeliefFilterNet::evidence(const at::Tensor& tokens) const {
    const auto item_size = dim() - 1;
    const auto clicked = tokens.select(2, item_size);
    const auto present = tokens.select(2, item_size + 3);
    const bool is_value = answer_ == Answer::value;
    return {
        .vectors = with_one(tokens.narrow(2, 0, item_size)),
        .answers = tokens.select(2, item_size + (is_value ? 1 : 2)),
        .present = is_value ? present : present * clicked,
    };
}

at::Tensor BeliefFilterNet::noise() const {
    return log_noise.clamp_min(std::log(least_noise)).exp();
}

BeliefFilterNet::Posterior BeliefFilterNet::update(const Evidence& seen) const {
    const auto b = seen.answers.size(0);
    const auto length = seen.answers.size(1);
    const auto prior_factor = factor.tril(-1) + at::diag(at::softplus(factor.diag()));
    const auto prior = prior_factor.matmul(prior_factor.t());  // [d, d] P0
    auto precision = prior.unsqueeze(0).expand({b, dim(), dim()});
    auto weighted = prior.mv(mean).unsqueeze(0).expand({b, dim()});  // P0 mu
    if (length > 0) {
        const auto age = at::arange(length - 1, -1, -1, seen.answers.options());
        const auto weight =
            seen.present * at::pow(remembered.sigmoid(), age) * noise().reciprocal();  // [B, L]
        const auto scaled = seen.vectors * weight.unsqueeze(2);
        precision = precision + scaled.transpose(1, 2).matmul(seen.vectors);
        weighted = weighted + (scaled * seen.answers.unsqueeze(2)).sum(1);
    }
    precision = precision + jitter * at::eye(dim(), mean.options());
    const auto root = at::linalg_cholesky(precision);
    return {
        .mean = at::cholesky_solve(weighted.unsqueeze(2), root).squeeze(2),
        .factor = root,
    };
}

BeliefFilterNet::Posterior BeliefFilterNet::posterior(const at::Tensor& tokens) const {
    return update(evidence(tokens));
}

BeliefFilterNet::Readout BeliefFilterNet::read(const Posterior& belief, const at::Tensor& items)
    const {
    const auto vectors = with_one(items);  // [B, n, d]
    const auto half =
        at::linalg_solve_triangular(belief.factor, vectors.transpose(1, 2), /*upper=*/false);
    return {
        .mean = vectors.matmul(belief.mean.unsqueeze(2)).squeeze(2),
        .deviation = half.pow(2).sum(1).sqrt(),
    };
}

at::Tensor BeliefFilterNet::Readout::summary() const {
    const auto [best, place] = mean.max(1, true);
    return at::cat(
        {best,
         mean.mean(1, true),
         mean.std(1, /*unbiased=*/false, /*keepdim=*/true),
         deviation.mean(1, true),
         deviation.gather(1, place)},
        1
    );
}

at::Tensor BeliefFilterNet::draw(
    const Posterior& belief, const at::Tensor& items, const at::Tensor& normals
) const {
    // P = R R', so R'^-1 z has covariance P^-1.
    const auto b = belief.mean.size(0);
    const auto z = normals.t().unsqueeze(0).expand({b, dim(), normals.size(0)});
    const auto upper = belief.factor.transpose(1, 2);
    const auto spread = at::linalg_solve_triangular(upper, z, /*upper=*/true);  // [B, d, draws]
    const auto drawn = spread + belief.mean.unsqueeze(2);                       // [B, d, draws]
    return with_one(items).matmul(drawn).transpose(1, 2).contiguous();          // [B, draws, n]
}

at::Tensor BeliefFilterNet::next_answer_loss(const at::Tensor& tokens) const {
    const auto seen = evidence(tokens);
    const auto last = seen.answers.size(1) - 1;
    const auto belief = update(
        {.vectors = seen.vectors.narrow(1, 0, last),
         .answers = seen.answers.narrow(1, 0, last),
         .present = seen.present.narrow(1, 0, last)}
    );
    const auto vector = seen.vectors.select(1, last);  // [B, d]
    const auto predicted = (vector * belief.mean).sum(1);
    const auto half =
        at::linalg_solve_triangular(belief.factor, vector.unsqueeze(2), /*upper=*/false);
    const auto variance = half.pow(2).sum(1).squeeze(1) + noise();
    const auto error = (seen.answers.select(1, last) - predicted).pow(2);
    const auto loss = 0.5 * (error / variance + variance.log() + std::log(2 * std::numbers::pi));
    const auto has_one = seen.present.select(1, last);
    return (loss * has_one).sum() / has_one.sum().clamp_min(1);
}

}  // namespace hg::policy
