// SPDX-License-Identifier: Apache-2.0
#include "policy/stepper.hpp"

#include <algorithm>

namespace hg::policy {
namespace {

template <typename T>
void copy(MatrixView<const T> from, Matrix<T>& to) {
    if (to.rows() != from.rows() || to.cols() != from.cols()) {
        to = Matrix<T>(from.rows(), from.cols());
    }
    std::copy_n(from.data(), from.rows() * from.cols(), to.values().data());
}

}  // namespace

Stepper::Stepper(simulate::EnvironmentBatch& world, std::size_t session_tokens)
    : world_(world),
      tokens_(world.facts(), world.size(), session_tokens),
      decisions_(world.size(), world.facts().slate_size) {}

void Stepper::reset(std::uint64_t seed) {
    world_.reset(seed);
    tokens_.clear();
}

TransitionBatch Stepper::take(Agent& agent, Mode mode, Rng& rng) {
    remember();
    agent.act(before_, mode, rng, decisions_);
    world_.step(decisions_.slates.view());
    tokens_.append(before_, decisions_.slates.view(), world_);
    after_ = {
        .users = world_.next_users(),
        .items = world_.next_items(),
        .item_ids = world_.next_item_ids(),
        .states = world_.next_states(),
        .sessions = tokens_.next(),
    };
    return {
        .before = before_,
        .decisions = decisions_,
        .responses = world_.responses(),
        .rewards = world_.rewards(),
        .ended = world_.ended(),
        .truncated = world_.truncated(),
        .after = after_,
    };
}

void Stepper::remember() {
    copy(world_.users(), users_);
    copy(world_.items(), items_);
    copy(world_.item_ids(), item_ids_);
    states_.assign(world_.states().begin(), world_.states().end());
    copy(tokens_.view(), sessions_);
    before_ = {
        .users = users_.view(),
        .items = items_.view(),
        .item_ids = item_ids_.view(),
        .states = states_,
        .sessions = sessions_.view(),
    };
}

}  // namespace hg::policy
