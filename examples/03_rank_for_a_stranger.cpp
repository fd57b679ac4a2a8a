// SPDX-License-Identifier: Apache-2.0
// Fit a model and rank for somebody it has never seen: a user is a history.
#include "core/matrix.hpp"
#include "core/progress.hpp"
#include "core/top_k.hpp"
#include "data/history.hpp"
#include "data/synthetic.hpp"
#include "train/model_entry.hpp"

#include <fmt/format.h>

#include <array>

int main() {
    const auto made =
        hg::data::make_synthetic({.users = 300, .items = 80, .events = 9000, .seed = 7});
    const auto& data = made.data;

    // Every model is a row of the registry; options not named keep their defaults.
    hg::SilentProgress progress;
    const auto model = hg::train::find_model("ease").fit(
        {.dataset = data,
         .log = data.log,
         .content = nullptr,
         .rng = hg::Rng{1},
         .progress = progress,
         .stop = {}},
        {}
    );

    hg::data::HistoryBuffer clicks;
    clicks.add(hg::ItemId{3});
    clicks.add(hg::ItemId{9});
    const std::array histories{clicks.view()};
    hg::Matrix<float> scores(histories.size(), model->n_items());
    model->score(histories, scores.view());

    hg::mask(scores.row(0), histories[0].items);  // nobody wants what they already have
    const auto best = hg::top_k(scores.row(0), 5);
    for (const auto& [item, score] : best) {
        fmt::print("{:<8} {:.3f}\n", data.items.name(item), score);
    }
    return best.size() == 5 ? 0 : 1;
}
