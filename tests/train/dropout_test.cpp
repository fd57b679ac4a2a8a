// SPDX-License-Identifier: Apache-2.0
#include "train/dropout.hpp"

#include <ATen/Parallel.h>
#include <torch/types.h>

#include <gtest/gtest.h>

namespace hg::train {
namespace {

constexpr std::int64_t n = 1'000'000;

TEST(Dropout, drops_the_share_it_says_and_keeps_the_mean) {
    // n = 10^6: a share's standard error is .0005; 5 of them bound a false alarm by 1e-6.
    for (const double share : {0.1, 0.5, 0.9}) {
        Rng rng{3};
        const auto x = Dropout{share, rng}(at::ones({n}));

        EXPECT_NEAR((x == 0).to(at::kDouble).mean().item<double>(), share, 0.0025);
        EXPECT_NEAR(x.max().item<double>(), 1 / (1 - share), 1e-5);
    }
}

TEST(Dropout, draws_another_mask_at_each_call_and_the_same_from_the_same_seed) {
    Rng a{3};
    Rng b{3};
    const Dropout of_a{0.5, a};
    const Dropout of_b{0.5, b};
    const auto ones = at::ones({100, 10});

    const auto first = of_a(ones);

    EXPECT_TRUE(at::equal(first, of_b(ones)));
    EXPECT_FALSE(at::equal(first, of_a(ones)));
}

TEST(Dropout, does_not_depend_on_the_number_of_threads) {
    const auto before = at::get_num_threads();
    at::set_num_threads(1);
    Rng a{3};
    const auto one = Dropout{0.5, a}(at::ones({n}));
    at::set_num_threads(3);
    Rng b{3};
    const auto three = Dropout{0.5, b}(at::ones({n}));
    at::set_num_threads(before);

    EXPECT_TRUE(at::equal(one, three));
}

TEST(Dropout, neighbours_are_independent) {
    Rng rng{3};
    const auto kept = (Dropout{0.5, rng}(at::ones({n})) > 0).to(at::kDouble);

    for (const std::int64_t lag : {1, 2, 64, 128}) {
        const auto both = (kept.slice(0, 0, n - lag) * kept.slice(0, lag)).mean().item<double>();
        EXPECT_NEAR(both, 0.25, 0.0025) << "lag " << lag;
    }
}

TEST(Dropout, passes_gradients_where_it_kept) {
    Rng rng{3};
    auto x = at::ones({1000}).requires_grad_(true);
    const auto y = Dropout{0.25, rng}(x);
    y.sum().backward();

    EXPECT_TRUE(at::allclose(x.grad(), y.detach()));
}

TEST(Dropout, nothing_is_dropped_without_a_share) {
    const auto x = at::randn({10});

    EXPECT_TRUE(at::equal(Dropout{}(x), x));
}

}  // namespace
}  // namespace hg::train
