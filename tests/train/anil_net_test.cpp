// SPDX-License-Identifier: Apache-2.0
// The inner loop of anil against derivatives that others take: autograd for its step, differences for
// what the outer loop sees.
#include "train/models/anil_net.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace hg::train {
namespace {

constexpr std::int64_t n_items = 7;
constexpr std::int64_t dim = 3;

AnilWeights some_weights(std::int64_t steps, bool first_order = false) {
    torch::manual_seed(3);
    const auto leaf = [](at::IntArrayRef shape) {
        return (0.6 * at::randn(shape)).set_requires_grad(true);
    };
    return {
        .first_order = first_order,
        .items = leaf({n_items, dim}),
        .bias = leaf({n_items}),
        .start = leaf({dim}),
        .rates = leaf({steps, dim}),
    };
}

ItemBags bags_of(std::initializer_list<std::vector<ItemId>> bags) {
    ItemBags all;
    for (const auto& bag : bags) {
        all.add(bag);
    }
    return all;
}

TEST(Anil, a_step_goes_up_the_log_likelihood_of_the_clicks) {
    const auto net = some_weights(1);
    const std::array<std::int64_t, 3> clicks{1, 4, 4};
    const auto head = net.start.detach().clone().set_requires_grad(true);
    const auto log_p = at::log_softmax(net.items.detach().mv(head) + net.bias.detach(), 0);
    (log_p.index_select(0, torch::tensor(at::ArrayRef<std::int64_t>{clicks})).sum() / std::sqrt(3.0)
    )
        .backward();
    const auto expected = net.start + net.rates[0] * head.grad();

    const auto got = net.heads(bags_of({{ItemId{1}, ItemId{4}, ItemId{4}}}));

    EXPECT_TRUE(at::allclose(got[0], expected, 1e-5, 1e-6)) << got << expected;
}

TEST(Anil, nobody_known_is_where_everyone_starts) {
    const auto net = some_weights(2);

    const auto got = net.heads(bags_of({{}, {ItemId{2}}}));

    EXPECT_TRUE(at::equal(got[0], net.start));
    EXPECT_FALSE(at::allclose(got[1], net.start));
}

/// The outer loss, as training has it, of two steps on two users.
double loss_of(const AnilWeights& net) {
    const auto bags = bags_of({{ItemId{1}, ItemId{4}}, {ItemId{6}}});
    return -at::log_softmax(net.logits(net.heads(bags)), 1).select(1, 3).mean().item<double>();
}

/// What autograd says an item's number adds to it, less what a difference says.
double error_of_gradient(bool first_order) {
    const auto net = some_weights(2, first_order);
    const auto bags = bags_of({{ItemId{1}, ItemId{4}}, {ItemId{6}}});
    (-at::log_softmax(net.logits(net.heads(bags)), 1).select(1, 3).mean()).backward();
    const at::NoGradGuard no_grad;
    constexpr double width = 1e-2;
    double worst = 0;
    for (std::int64_t item = 0; item < n_items; ++item) {
        auto number = net.items[item][0];
        const auto before = number.item<float>();
        number.fill_(before + width);
        const auto above = loss_of(net);
        number.fill_(before - width);
        const auto below = loss_of(net);
        number.fill_(before);
        const auto difference = (above - below) / (2 * width);
        worst = std::max(worst, std::abs(net.items.grad()[item][0].item<double>() - difference));
    }
    return worst;
}

TEST(Anil, the_outer_loop_sees_through_the_steps_unless_it_is_told_not_to) {
    EXPECT_LT(error_of_gradient(false), 1e-3);
    EXPECT_GT(error_of_gradient(true), 1e-2);
}

TEST(Anil, one_rate_for_all_is_that_rate_for_each) {
    auto each = some_weights(2);
    auto one = each;
    one.rates = torch::tensor({0.3F, 0.7F}).unsqueeze(1);
    each.rates = one.rates.expand({2, dim});
    const auto bags = bags_of({{ItemId{0}, ItemId{5}}});

    EXPECT_TRUE(at::equal(one.heads(bags), each.heads(bags)));
}

TEST(Anil, with_no_coordinate_dropped_it_is_the_same_net) {
    const auto net = some_weights(2);
    const auto bags = bags_of({{ItemId{0}, ItemId{5}}});

    const auto all = net.some_units(at::arange(dim));

    EXPECT_TRUE(at::equal(all.logits(all.heads(bags)), net.logits(net.heads(bags))));
}

}  // namespace
}  // namespace hg::train
