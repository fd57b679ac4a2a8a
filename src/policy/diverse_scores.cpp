// SPDX-License-Identifier: Apache-2.0
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

/// Of every candidate to those above it, [B, n]; scores best first, places: where their directions stand, [B, n].
at::Tensor likeness_above(
    const at::Tensor& scores,
    const at::Tensor& places,
    const at::Tensor& directions,
    const at::Tensor& unit,
    std::int64_t chosen
) {
    const at::NoGradGuard no_grad;
    const auto own = scores.contiguous();
    HG_CHECK(directions.stride(2) == 1, "the numbers of a direction lie side by side");
    const auto units = unit.contiguous();
    const auto n = static_cast<std::size_t>(own.size(1));
    const auto rows = static_cast<std::size_t>(directions.size(1));
    const auto d = static_cast<std::size_t>(directions.size(2));
    const auto stride = static_cast<std::size_t>(directions.stride(1));
    auto likeness = at::zeros_like(own);
    for (std::size_t user = 0; user < static_cast<std::size_t>(own.size(0)); ++user) {
        const auto* const first = directions.const_data_ptr<float>() +
                                  static_cast<std::int64_t>(user) * directions.stride(0);
        const MatrixView<const float> of_user{first, rows, d, stride};
        const auto* const at = places.const_data_ptr<std::int64_t>() + user * n;
        const auto direction = [&](std::size_t i) {
            return of_user.row(static_cast<std::size_t>(at[i]));
        };
        diverse_order(
            {own.const_data_ptr<float>() + user * n, n},
            static_cast<double>(units.const_data_ptr<float>()[user]),
            likeness_by(direction),
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
    const auto likeness =
        likeness_above(best, places.contiguous(), directions, unit, std::min(among.chosen, n));
    const auto least = scores - unit.unsqueeze(1);  // further down: as if like something above
    return least.scatter(1, places, best - unit.unsqueeze(1) * likeness);
}

}  // namespace hg::policy
