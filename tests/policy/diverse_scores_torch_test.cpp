// SPDX-License-Identifier: Apache-2.0
// What an actor learns of diversity is what the server does with it.
#include "core/dot.hpp"
#include "core/rng.hpp"
#include "policy/diverse_scores_net.hpp"
#include "policy/knobs.hpp"

#include <torch/types.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hg::policy {
namespace {

constexpr std::int64_t n = 30;
constexpr std::int64_t width = 3;

DiverseAmong among(std::int64_t pool) {
    return {.considered = considered_for * pool, .chosen = pool};
}

struct Offer {
    at::Tensor scores;      // [1, n]
    at::Tensor directions;  // [1, n, width]
};

Offer offer(std::uint64_t seed) {
    at::manual_seed(seed);
    const auto vectors = at::randn({1, n, width});
    return {at::randn({1, n}), vectors / vectors.norm(2, 2, true)};
}

/// As a server ranks: the best `considered_for` * pool, of them the pool.
std::vector<Scored> served(const Offer& offer, double weight, std::size_t pool) {
    const std::span scores{offer.scores.const_data_ptr<float>(), static_cast<std::size_t>(n)};
    auto candidates = top_k(scores, static_cast<std::size_t>(considered_for) * pool);
    const auto before = candidates;
    const auto* vectors = offer.directions.const_data_ptr<float>();
    const auto direction = [&](std::size_t place) {
        return std::span{vectors + std::size_t{before[place].index} * width, width};
    };
    diversify(
        weight,
        [&](std::size_t place, std::span<float> likeness) {
            for (std::size_t i = 0; i < likeness.size(); ++i) {
                likeness[i] = dot(direction(i), direction(place));
            }
        },
        candidates,
        pool
    );
    return candidates;
}

TEST(DiverseScores, rank_as_the_server_does_with_its_scores) {
    for (const std::int64_t pool : {4, 7, 50}) {
        for (const double weight : {0.0, 0.3, 1.0, 2.0}) {
            const auto made = offer(static_cast<std::uint64_t>(pool));
            const auto scores =
                diverse_scores(made.scores, made.directions, at::full({1}, weight), among(pool));
            const auto expected = served(made, weight, static_cast<std::size_t>(pool));

            const auto [values, places] = scores.topk(std::min(pool, n), 1);
            for (std::size_t i = 0; i < expected.size(); ++i) {
                const auto slot = static_cast<std::int64_t>(i);
                EXPECT_EQ(places[0][slot].item<std::int64_t>(), expected[i].index);
                EXPECT_NEAR(values[0][slot].item<float>(), expected[i].score, 1e-5);
            }
        }
    }
}

TEST(DiverseScores, weight_and_scores_have_the_gradient_of_finite_differences) {
    const auto made = offer(3);
    auto scores = made.scores.clone().requires_grad_();
    auto weight = at::full({1}, 0.7F).requires_grad_();
    const auto out = diverse_scores(scores, made.directions, weight, among(5));
    const auto shown = out.argmax(1).item<std::int64_t>();
    at::log_softmax(out, 1)[0][shown].backward();

    constexpr double step = 1e-3;
    const auto of_shown = [&](const at::Tensor& s, double w) {
        return at::log_softmax(
                   diverse_scores(s, made.directions, at::full({1}, w), among(5)), 1
        )[0][shown]
            .item<double>();
    };
    const auto by_weight =
        (of_shown(made.scores, 0.7 + step) - of_shown(made.scores, 0.7 - step)) / (2 * step);
    EXPECT_NEAR(weight.grad().item<double>(), by_weight, 2e-3);
    for (const std::int64_t item : {std::int64_t{0}, std::int64_t{11}, shown}) {
        auto more = made.scores.clone();
        auto less = made.scores.clone();
        more[0][item] += step;
        less[0][item] -= step;
        const auto by_score = (of_shown(more, 0.7) - of_shown(less, 0.7)) / (2 * step);
        EXPECT_NEAR(scores.grad()[0][item].item<double>(), by_score, 2e-3) << item;
    }
}

}  // namespace
}  // namespace hg::policy
