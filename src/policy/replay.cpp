// SPDX-License-Identifier: Apache-2.0
#include "policy/replay_net.hpp"

#include <algorithm>

namespace hg::policy {
Replay::Replay(
    const AgentContext& context, std::int64_t capacity, std::int64_t n_steps, double discount
)
    : capacity_(capacity),
      n_steps_(n_steps),
      discount_(discount),
      is_whole_(static_cast<std::size_t>(capacity)) {
    ring_ = {
        .before = NetInput::zeros(capacity, context.world, context.session_size),
        .after = NetInput::zeros(capacity, context.world, context.session_size),
        .slates = at::zeros({capacity, signed_size(context.world.slate_size)}, at::kLong),
        .clicked = at::zeros({capacity, signed_size(context.world.slate_size)}),
        .rewards = at::zeros({capacity}),
        .discounts = at::zeros({capacity}),
    };
}

void Replay::add(const TransitionBatch& step) {
    const auto n_users = step.before.size();
    HG_CHECK(
        signed_size(n_users) * n_steps_ * 2 <= capacity_,
        "the replay holds two n-step queues of every user"
    );
    waiting_.resize(n_users);
    for (std::size_t u = 0; u < n_users; ++u) {
        auto& queue = waiting_[u];
        queue.push_back({.row = write(step, u)});
        for (auto& waiting : queue) {
            waiting.reward += waiting.discount * step.rewards[u];
            waiting.discount *= discount_;
        }
        const bool ended = step.ended[u] != 0;
        const bool over = ended || step.truncated[u] != 0;
        while (!queue.empty() && (over || signed_size(queue.size()) == n_steps_)) {
            finish(queue.front(), step.after, u, ended);
            queue.pop_front();
        }
    }
}

std::int64_t Replay::write(const TransitionBatch& step, std::size_t user) {
    const auto row = next_;
    next_ = (next_ + 1) % capacity_;
    const auto at = static_cast<std::size_t>(row);
    size_ -= is_whole_[at];
    is_whole_[at] = 0;
    ring_.before.put(row, step.before, user);
    const auto k = step.responses.cols();
    auto* slates = ring_.slates.mutable_data_ptr<std::int64_t>() + row * signed_size(k);
    auto* clicked = ring_.clicked.mutable_data_ptr<float>() + row * signed_size(k);
    for (std::size_t slot = 0; slot < k; ++slot) {
        slates[slot] = static_cast<std::int64_t>(step.decisions.slates(user, slot));
        clicked[slot] = step.responses(user, slot).clicked ? 1.0F : 0.0F;
    }
    return row;
}

void Replay::finish(
    const Waiting& waiting, const ObservationBatch& after, std::size_t user, bool ended
) {
    ring_.after.put(waiting.row, after, user);
    ring_.rewards.mutable_data_ptr<float>()[waiting.row] = static_cast<float>(waiting.reward);
    ring_.discounts.mutable_data_ptr<float>()[waiting.row] =
        ended ? 0.0F : static_cast<float>(waiting.discount);
    is_whole_[static_cast<std::size_t>(waiting.row)] = 1;
    ++size_;
}

ReplayBatch Replay::sample(std::int64_t n, Rng& rng) const {
    std::vector<std::int64_t> rows;
    while (signed_size(rows.size()) < n) {
        const auto row = rng.below(static_cast<std::size_t>(capacity_));
        if (is_whole_[row] != 0) {
            rows.push_back(signed_size(row));
        }
    }
    const auto index = at::tensor(rows, at::kLong);
    return {
        .before = ring_.before.rows(index),
        .after = ring_.after.rows(index),
        .slates = ring_.slates.index_select(0, index),
        .clicked = ring_.clicked.index_select(0, index),
        .rewards = ring_.rewards.index_select(0, index),
        .discounts = ring_.discounts.index_select(0, index),
    };
}

}  // namespace hg::policy
