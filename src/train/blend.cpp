// SPDX-License-Identifier: Apache-2.0
#include "train/blend.hpp"

#include "data/copy_event.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::train {
namespace {

struct Moments {
    float mean = 0;
    float scale = 0;  // 1 / sd, 0 when all are equal
};

/// Mean and scale over all entries minus those of `seen` (each counted once).
Moments moments_of(std::span<const float> scores, std::span<const ItemId> seen) {
    // Several sums side by side, so that an addition need not wait for the one before.
    constexpr std::size_t lanes = 8;
    std::array<double, lanes> sums{};
    std::array<double, lanes> squared{};
    std::size_t i = 0;
    for (; i + lanes <= scores.size(); i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const auto s = static_cast<double>(scores[i + lane]);
            sums[lane] += s;
            squared[lane] += s * s;
        }
    }
    double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
    double squares = std::accumulate(squared.begin(), squared.end(), 0.0);
    for (; i < scores.size(); ++i) {
        sum += scores[i];
        squares += static_cast<double>(scores[i]) * scores[i];
    }
    std::vector<std::uint32_t> distinct;
    for (const auto item : seen) {
        if (item.index() < scores.size()) {
            distinct.push_back(item.value);
        }
    }
    std::ranges::sort(distinct);
    const auto repeated = std::ranges::unique(distinct);
    distinct.erase(repeated.begin(), repeated.end());
    for (const auto item : distinct) {
        sum -= scores[item];
        squares -= static_cast<double>(scores[item]) * scores[item];
    }
    const auto n = static_cast<double>(scores.size() - distinct.size());
    if (n < 1) {
        return {};
    }
    const double mean = sum / n;
    const double variance = squares / n - mean * mean;
    const double tiny = 1e-12 * squares / n;  // relative: scores may be of any size
    return {
        static_cast<float>(mean),
        variance > tiny ? static_cast<float>(1 / std::sqrt(variance)) : 0.0F
    };
}

void add_standardised(
    std::span<const float> scores, const Moments& m, float weight, std::span<float> out
) {
    const float factor = weight * m.scale;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] += factor * (scores[i] - m.mean);
    }
}

/// As model.score(), for histories that may hold items behind those of the model.
void score_known(
    const Recommender& model, std::span<const data::History> histories, MatrixView<float> out
) {
    const auto is_known = [&](ItemId item) { return item.index() < model.n_items(); };
    const bool are_all_known = std::ranges::all_of(histories, [&](const data::History& history) {
        return std::ranges::all_of(history.items, is_known);
    });
    if (are_all_known) {
        model.score(histories, out);
        return;
    }
    std::vector<data::HistoryBuffer> buffers(histories.size());
    std::vector<data::History> known;
    for (std::size_t h = 0; h < histories.size(); ++h) {
        buffers[h].set_attributes(histories[h].attributes);
        for (std::size_t i = 0; i < histories[h].size(); ++i) {
            if (is_known(histories[h].items[i])) {
                data::copy_event(histories[h], i, histories[h].items[i], buffers[h]);
            }
        }
        known.push_back(buffers[h].view());
    }
    model.score(known, out);
}

}  // namespace

void standardise(std::span<float> scores, std::span<const ItemId> seen) {
    const auto m = moments_of(scores, seen);
    for (auto& s : scores) {
        s = (s - m.mean) * m.scale;
    }
}

Blend::Blend(std::vector<Part> parts, Matrix<float> weights)
    : parts_(std::move(parts)), weights_(std::move(weights)), belief_part_(parts_.size()) {
    HG_CHECK(!parts_.empty(), "a blend needs parts");
    HG_CHECK(
        weights_.rows() == knots.size() && weights_.cols() == parts_.size(),
        "one weight per knot and part"
    );
    n_standardised_ = parts_.front().model->n_items();
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        n_items_ = std::max(n_items_, parts_[p].model->n_items());
        n_standardised_ = std::min(n_standardised_, parts_[p].model->n_items());
        if (parts_[p].model->belief_prior() != nullptr && belief_part_ == parts_.size()) {
            belief_part_ = p;
        }
    }
    for (const auto& part : parts_) {
        can_place_.push_back(part.model->n_items() > n_standardised_);
    }
}

std::size_t Blend::n_items() const {
    return n_items_;
}

float Blend::weight(std::size_t part, std::size_t n_events) const {
    if (n_events >= knots.back()) {
        return weights_(knots.size() - 1, part);
    }
    std::size_t right = 1;
    while (knots[right] < n_events) {
        ++right;
    }
    const auto position = [](std::size_t n) { return std::log2(1.0F + static_cast<float>(n)); };
    const float left_at = position(knots[right - 1]);
    const float share = (position(n_events) - left_at) / (position(knots[right]) - left_at);
    return (1 - share) * weights_(right - 1, part) + share * weights_(right, part);
}

bool Blend::uses_belief(std::size_t n_events) const {
    return belief_part_ < parts_.size() &&
           (weight(belief_part_, n_events) > 0 || can_place_[belief_part_]);
}

float Blend::new_item_weight(
    std::size_t part, const std::vector<bool>& can_place, std::size_t n_events
) const {
    float all = 0;
    float able = 0;
    float n_able = 0;
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        const float w = weight(p, n_events);
        all += w;
        able += can_place[p] ? w : 0;
        n_able += can_place[p] ? 1.0F : 0.0F;
    }
    if (!can_place[part]) {
        return 0;
    }
    return able > 0 ? all * weight(part, n_events) / able : all / n_able;
}

void Blend::add_part(
    std::size_t part, std::span<const data::History> histories, MatrixView<float> out
) const {
    const auto& model = *parts_[part].model;
    const bool is_used = std::ranges::any_of(histories, [&](const data::History& history) {
        return weight(part, history.size()) > 0;
    });
    if (!is_used && !can_place_[part]) {
        return;
    }
    Matrix<float> scores(histories.size(), model.n_items());
    score_known(model, histories, scores.view());
    for (std::size_t row = 0; row < histories.size(); ++row) {
        add_scores(part, histories[row], std::as_const(scores).row(row), out.row(row));
    }
}

void Blend::add_scores(
    std::size_t part,
    const data::History& history,
    std::span<const float> scores,
    std::span<float> out
) const {
    const auto known = scores.first(n_standardised_);
    const auto m = moments_of(known, history.items);
    add_standardised(known, m, weight(part, history.size()), out.first(n_standardised_));
    if (can_place_[part]) {
        const auto n_new = scores.size() - n_standardised_;
        add_standardised(
            scores.last(n_new),
            m,
            new_item_weight(part, can_place_, history.size()),
            out.subspan(n_standardised_, n_new)
        );
    }
}

void Blend::score(std::span<const data::History> histories, MatrixView<float> out) const {
    score_rankers(histories, out);
    if (belief_part_ < parts_.size()) {
        add_part(belief_part_, histories, out);
    }
}

void Blend::score_rankers(std::span<const data::History> histories, MatrixView<float> out) const {
    for (std::size_t row = 0; row < histories.size(); ++row) {
        std::ranges::fill(out.row(row), 0.0F);
    }
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        if (p != belief_part_) {
            add_part(p, histories, out);
        }
    }
}

void Blend::add_belief(
    const data::History& history, std::span<const float> belief_scores, std::span<float> out
) const {
    if (belief_part_ < parts_.size()) {
        add_scores(belief_part_, history, belief_scores, out);
    }
}

bool Blend::score_new_items(
    std::span<const data::History> histories, MatrixView<const float> content, MatrixView<float> out
) const {
    std::vector<bool> can_place(parts_.size(), false);
    std::vector<Matrix<float>> fresh(parts_.size());
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        fresh[p] = Matrix<float>(histories.size(), content.rows());
        can_place[p] = parts_[p].model->score_new_items(histories, content, fresh[p].view());
    }
    if (std::ranges::find(can_place, true) == can_place.end()) {
        return false;
    }
    for (std::size_t row = 0; row < histories.size(); ++row) {
        std::ranges::fill(out.row(row), 0.0F);
    }
    Matrix<float> known(histories.size(), n_items());
    for (std::size_t p = 0; p < parts_.size(); ++p) {
        if (!can_place[p]) {
            continue;
        }
        parts_[p].model->score(histories, known.view());
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto m = moments_of(known.row(row), histories[row].items);
            const float w = new_item_weight(p, can_place, histories[row].size());
            add_standardised(fresh[p].row(row), m, w, out.row(row));
        }
    }
    return true;
}

std::unique_ptr<Recommender> Blend::grown(MatrixView<const float> content) const {
    std::vector<Part> parts;
    bool is_any_grown = false;
    for (const auto& part : parts_) {
        std::shared_ptr<const Recommender> more = part.model->grown(content);
        is_any_grown = is_any_grown || more != nullptr;
        parts.push_back({part.name, more != nullptr ? std::move(more) : part.model});
    }
    return is_any_grown ? std::make_unique<Blend>(std::move(parts), weights_) : nullptr;
}

const GaussianPrior* Blend::belief_prior() const {
    return belief_part_ < parts_.size() ? parts_[belief_part_].model->belief_prior() : nullptr;
}

void Blend::save(SafetensorsWriter& weights) const {
    weights.add<float>("blend_weights", weights_.view());
    for (const auto& part : parts_) {
        SafetensorsWriter own;
        part.model->save(own);
        weights.add_all(part.name + "/", std::move(own));
    }
}

}  // namespace hg::train
