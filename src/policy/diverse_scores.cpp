// SPDX-License-Identifier: Apache-2.0
#include "core/dot.hpp"
#include "core/matrix.hpp"
#include "policy/diverse_scores_net.hpp"
#include "policy/knobs.hpp"
#include "policy/plackett_luce.hpp"

#include <torch/utils.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace hg::policy {
namespace {

/// Of every candidate to those above it, [B, n]; scores and directions best first.
at::Tensor likeness_above(
    const at::Tensor& scores,
    const at::Tensor& directions,
    const at::Tensor& unit,
    std::int64_t chosen
) {
    const at::NoGradGuard no_grad;
    const auto own = scores.contiguous();
    const auto vectors = directions.contiguous();
    const auto units = unit.contiguous();
    const auto n = static_cast<std::size_t>(own.size(1));
    const auto d = static_cast<std::size_t>(vectors.size(2));
    auto likeness = at::zeros_like(own);
    for (std::size_t user = 0; user < static_cast<std::size_t>(own.size(0)); ++user) {
        const MatrixView<const float> of_user{vectors.const_data_ptr<float>() + user * n * d, n, d};
        diverse_order(
            {own.const_data_ptr<float>() + user * n, n},
            static_cast<double>(units.const_data_ptr<float>()[user]),
            [&](std::size_t place, std::span<float> out) {
                for (std::size_t i = 0; i < n; ++i) {
                    out[i] = dot(of_user.row(i), of_user.row(place));
                }
            },
            static_cast<std::size_t>(chosen),
            {likeness.mutable_data_ptr<float>() + user * n, n}
        );
    }
    return likeness;
}

}  // namespace

DiverseAmong diverse_among(const simulate::EnvironmentFacts& world) {
    constexpr std::int64_t slates = 4;
    const auto pool = PlackettLuceOptions{}.max_candidates;
    return {
        .considered = considered_for * pool,
        .chosen = std::min(pool, slates * static_cast<std::int64_t>(world.slate_size)),
    };
}

at::Tensor diverse_scores(
    const at::Tensor& scores,
    const at::Tensor& directions,
    const at::Tensor& weight,
    const DiverseAmong& among
) {
    const auto n = std::min(scores.size(1), among.considered);
    const auto [best, places] = scores.topk(n, 1);
    const auto deviation = best.std(1, /*unbiased=*/false);
    const auto unit = weight * at::where(deviation > 0, deviation, at::ones_like(deviation));
    const auto of_best =
        directions.gather(1, places.unsqueeze(2).expand({-1, -1, directions.size(2)}));
    const auto likeness = likeness_above(best, of_best, unit, std::min(among.chosen, n));
    const auto least = scores - unit.unsqueeze(1);  // further down: as if like something above
    return least.scatter(1, places, best - unit.unsqueeze(1) * likeness);
}

}  // namespace hg::policy
