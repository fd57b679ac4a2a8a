// SPDX-License-Identifier: Apache-2.0
// popularity: of the whole log, or of its last days.
#include "core/options.hpp"
#include "support/fit_model.hpp"
#include "support/small_world.hpp"
#include "train/model_entry.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hg::train {
namespace {

using testing_support::small_world;

/// The best item after `settings` for a log where item 0 is liked by ten on the first day and item
/// 1 by three on day 40.
std::size_t best_item(const Settings& settings) {
    const auto world = small_world({.n_users = 13, .n_items = 3, .events_per_user = 1});
    constexpr TimeMs day = 86'400'000;
    std::vector<data::Interaction> events;
    for (std::uint32_t user = 0; user < 13; ++user) {
        const bool is_early = user < 10;
        events.push_back({
            .user = UserId{user},
            .item = ItemId{is_early ? 0U : 1U},
            .time = is_early ? 0 : 40 * day,
        });
    }
    const auto log = data::InteractionLog::from_events(std::move(events), 13, 3);
    const auto model = testing_support::fit_model("popularity", world.dataset, log, settings);
    Matrix<float> scores(1, 3);
    const data::History nothing;
    model->score({&nothing, 1}, scores.view());
    const auto row = scores.row(0);
    return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

TEST(Popularity, a_window_counts_only_the_last_days) {
    Settings recent;
    recent.set_assignment("window_days=30");
    Settings longer;
    longer.set_assignment("window_days=40");

    EXPECT_EQ(best_item({}), 0U);
    EXPECT_EQ(best_item(recent), 1U);
    EXPECT_EQ(best_item(longer), 0U) << "the first event of the window counts";
}

}  // namespace
}  // namespace hg::train
