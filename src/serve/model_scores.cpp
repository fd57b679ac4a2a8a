// SPDX-License-Identifier: Apache-2.0
#include "serve/model_scores.hpp"

#include "core/running_top_k.hpp"
#include "train/gaussian_prior.hpp"

#include <algorithm>
#include <utility>

namespace hg::serve {
namespace {

constexpr std::size_t sample_size = 4096;

/// out = the model's scores of all its items.
void score_model(
    const Snapshot& snapshot,
    std::span<const data::History> histories,
    const policy::Belief* belief,
    MatrixView<float> out
) {
    const auto& model = *snapshot.run.model;
    const auto* const prior = model.belief_prior();
    if (belief == nullptr || prior == nullptr) {
        return model.score(histories, out);
    }
    if (snapshot.blend == nullptr) {
        return snapshot.is_belief ? prior->score(belief->posterior, out.row(0))
                                  : model.score(histories, out);
    }
    const auto& history = histories.front();
    snapshot.blend->score_rankers(histories, out);
    if (snapshot.blend->uses_belief(history.size())) {
        std::vector<float> scores(prior->n_items());
        prior->score(belief->posterior, scores);
        snapshot.blend->add_belief(history, scores, out.row(0));
    }
}

std::vector<Scored> best_of_row(
    std::span<const float> scores, std::size_t k, const RowFilter& filter
) {
    if (!filter) {
        return top_k(scores, k);
    }
    constexpr std::size_t block = 1024;
    RunningTopK best{k};
    std::vector<Scored> rows;
    for (std::size_t first = 0; first < scores.size(); first += block) {
        rows.clear();
        for (std::size_t i = first; i < std::min(first + block, scores.size()); ++i) {
            const Scored candidate{static_cast<std::uint32_t>(i), scores[i]};
            if (best.is_among_best(candidate)) {
                rows.push_back(candidate);
            }
        }
        filter(rows);
        for (const auto& row : rows) {
            best.add(row);
        }
    }
    return std::move(best).take();
}

}  // namespace

ModelScores::ModelScores(
    const Snapshot& snapshot,
    std::span<const data::History> histories,
    const policy::Belief* belief,
    ScoreForm form
)
    : snapshot_(snapshot), samples_(histories.size()) {
    const auto& model = *snapshot.run.model;
    if (snapshot.retrieval == nullptr || form == ScoreForm::whole_rows) {
        rows_ = Matrix<float>(histories.size(), model.n_items());
        score_model(snapshot, histories, belief, rows_.view());
        return;
    }
    users_ = Matrix<float>(histories.size(), snapshot.retrieval->table().vectors().cols());
    if (belief != nullptr && snapshot.is_belief) {
        std::ranges::copy(belief->posterior.mean, users_.row(0).begin());
    } else {
        model.user_vectors(histories, users_.view());
    }
}

float ModelScores::of(std::size_t history, std::uint32_t row) const {
    return users_.empty() ? rows_(history, row)
                          : snapshot_.retrieval->table().score(users_.row(history), row);
}

std::vector<float> ModelScores::sorted_sample(std::size_t history) const {
    const auto n = snapshot_.run.model->n_items();
    const auto step = (n + sample_size - 1) / sample_size;
    std::vector<float> scores;
    for (std::size_t row = 0; row < n; row += step) {
        scores.push_back(of(history, static_cast<std::uint32_t>(row)));
    }
    std::ranges::sort(scores);
    return scores;
}

float ModelScores::at_place(std::size_t history, std::size_t n_below) {
    auto& sample = samples_[history];
    if (sample.empty()) {
        sample = sorted_sample(history);
    }
    const auto n = snapshot_.run.model->n_items();
    return sample[std::min(n_below, n - 1) * sample.size() / n];
}

std::vector<Scored> ModelScores::best(std::size_t k, const RowFilter& filter) const {
    if (users_.empty()) {
        return best_of_row(rows_.row(0), k, filter);
    }
    const auto user = users_.row(0);
    return is_guess(filter) ? snapshot_.retrieval->best(user, k)
                            : snapshot_.retrieval->best_of_all(user, k, filter);
}

bool ModelScores::is_guess(const RowFilter& filter) const {
    return !filter && !users_.empty() && snapshot_.retrieval->has_index();
}

}  // namespace hg::serve
