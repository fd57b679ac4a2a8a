// SPDX-License-Identifier: Apache-2.0
// The inner loop: a belief of one person, updated in closed form by every click, and what it knows.
#include "core/progress.hpp"
#include "data/synthetic.hpp"
#include "policy/belief.hpp"
#include "train/fit_gaussian_prior.hpp"

#include <fmt/format.h>

int main() {
    const auto made =
        hg::data::make_synthetic({.users = 400, .items = 80, .events = 12'000, .seed = 7});
    const auto& data = made.data;

    // The outer loop: what we believe of anybody before the first event, learned from everyone.
    hg::train::GaussianOptions options;
    options.dim = 8;
    hg::SilentProgress progress;
    const auto prior = hg::train::fit_gaussian_prior(
        {.dataset = data,
         .log = data.log,
         .content = nullptr,
         .rng = hg::Rng{1},
         .progress = progress,
         .stop = {}},
        options
    );

    const auto& genres = *data.item_fields.find("genre");
    hg::policy::Belief belief{prior};
    const auto history = data.log.history(hg::UserId{0}).head(5);
    for (const auto item : history.items) {
        hg::policy::adapt(prior, belief, item, 1.0F);
        const auto liked = hg::policy::traits(prior, belief, genres, 2);
        fmt::print(
            "{} events: {:.0f} % of the uncertainty is left; likes {} ({:+.1f} sd)\n",
            belief.n_events,
            100 * hg::policy::uncertainty_left(belief),
            liked.front().name,
            liked.front().preference
        );
    }
    // Forgetting is a replay without the event; the belief is never the truth, the events are.
    belief = hg::policy::Belief::replay(prior, history.head(1));
    return hg::policy::uncertainty_left(belief) < 1 ? 0 : 1;
}
