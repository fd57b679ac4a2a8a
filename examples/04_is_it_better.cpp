// SPDX-License-Identifier: Apache-2.0
// Is one model better than another, or was it luck? A leak-free split, NDCG@10 over the whole
// catalogue, and a paired interval over users.
#include "core/matrix.hpp"
#include "core/progress.hpp"
#include "core/top_k.hpp"
#include "data/split.hpp"
#include "data/synthetic.hpp"
#include "evaluate/ranking.hpp"
#include "evaluate/significance.hpp"
#include "train/model_entry.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

namespace {

std::vector<double> ndcg_per_user(
    std::string_view name, const hg::data::Dataset& data, const hg::data::Split& split
) {
    hg::SilentProgress progress;
    const auto model = hg::train::find_model(name).fit(
        {.dataset = data,
         .log = split.train_full,
         .content = nullptr,
         .rng = hg::Rng{1},
         .progress = progress,
         .stop = {}},
        {}
    );
    std::vector<double> values;
    hg::Matrix<float> scores(1, model->n_items());
    for (const auto& question : split.test) {
        model->score({&question.context, 1}, scores.view());
        hg::mask(scores.row(0), question.context.items);
        const auto judged = hg::evaluate::judge_scores(scores.row(0), question.targets);
        values.push_back(hg::evaluate::ndcg_at(judged, 10));
    }
    return values;
}

}  // namespace

int main() {
    const auto made =
        hg::data::make_synthetic({.users = 500, .items = 100, .events = 20'000, .seed = 7});
    const auto split = hg::data::leave_one_out(made.data.log, {.repeats = hg::data::Repeats::drop});

    const auto als = ndcg_per_user("als", made.data, split);
    const auto popularity = ndcg_per_user("popularity", made.data, split);

    const auto difference = hg::evaluate::paired_difference(als, popularity, hg::Rng{1});
    fmt::print(
        "als - popularity: {:+.4f} NDCG@10, 95 % [{:+.4f}, {:+.4f}] over {} users\n",
        difference.mean,
        difference.bootstrap.low,
        difference.bootstrap.high,
        difference.n
    );
    fmt::print("{}\n", difference.bootstrap.low > 0 ? "better" : "not decided");
    return difference.n == split.test.size() ? 0 : 1;
}
