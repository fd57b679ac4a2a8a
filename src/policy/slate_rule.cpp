// SPDX-License-Identifier: Apache-2.0
#include "policy/slate_rule.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>

namespace hg::policy {

void SlateDrawer::draw(
    std::span<const float> scores,
    Rng& rng,
    std::span<std::uint32_t> slots,
    std::span<double> propensities
) {
    HG_CHECK(slots.size() <= scores.size(), "a slate cannot show more than there is");
    start(scores);
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
        refresh(scores);
        const auto chosen = pick(rng);
        slots[slot] = static_cast<std::uint32_t>(chosen);
        propensities[slot] = share_[chosen];
        taken_[chosen] = 1;
        --n_left_;
    }
}

void SlateDrawer::propensities(
    std::span<const float> scores, std::span<const std::uint32_t> slots, std::span<double> out
) {
    start(scores);
    for (std::size_t slot = 0; slot < slots.size(); ++slot) {
        refresh(scores);
        const auto chosen = slots[slot];
        HG_CHECK(chosen < scores.size() && taken_[chosen] == 0, "slots are distinct candidates");
        out[slot] = share_[chosen];
        taken_[chosen] = 1;
        --n_left_;
    }
}

void SlateDrawer::start(std::span<const float> scores) {
    taken_.assign(scores.size(), 0);
    share_.resize(scores.size());
    n_left_ = scores.size();
}

void SlateDrawer::refresh(std::span<const float> scores) {
    std::size_t best = scores.size();
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (taken_[i] == 0 && (best == scores.size() || scores[i] > scores[best])) {
            best = i;
        }
    }
    switch (rule_.draw) {
        case SlateDraw::greedy:
            share_greedy(best);
            break;
        case SlateDraw::softmax:
            share_softmax(scores, best);
            break;
        case SlateDraw::inverse_gap:
            share_inverse_gap(scores, best);
            break;
    }
    if (rule_.epsilon > 0) {
        const double uniform = rule_.epsilon / static_cast<double>(n_left_);
        for (std::size_t i = 0; i < share_.size(); ++i) {
            share_[i] = taken_[i] != 0 ? 0 : (1 - rule_.epsilon) * share_[i] + uniform;
        }
    }
}

void SlateDrawer::share_greedy(std::size_t best) {
    std::ranges::fill(share_, 0.0);
    share_[best] = 1;
}

void SlateDrawer::share_softmax(std::span<const float> scores, std::size_t best) {
    double total = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const double gap = static_cast<double>(scores[i]) - static_cast<double>(scores[best]);
        share_[i] = taken_[i] != 0 ? 0 : std::exp(gap / rule_.temperature);
        total += share_[i];
    }
    for (double& share : share_) {
        share /= total;
    }
}

void SlateDrawer::share_inverse_gap(std::span<const float> scores, std::size_t best) {
    const auto n = static_cast<double>(n_left_);
    double others = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const double gap = static_cast<double>(scores[best]) - static_cast<double>(scores[i]);
        share_[i] = taken_[i] != 0 || i == best ? 0 : 1 / (n + rule_.gamma * gap);
        others += share_[i];
    }
    share_[best] = 1 - others;  // at least 1/n: every other share is at most 1/n
}

std::size_t SlateDrawer::pick(Rng& rng) const {
    double u = rng.uniform();
    std::size_t last = share_.size();
    for (std::size_t i = 0; i < share_.size(); ++i) {
        if (share_[i] <= 0) {
            continue;
        }
        last = i;
        u -= share_[i];
        if (u < 0) {
            return i;
        }
    }
    return last;  // rounding left a sliver of u
}

}  // namespace hg::policy
