// SPDX-License-Identifier: Apache-2.0
#include "train/co_taken.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace hg::train {

CoTaken::CoTaken(
    const data::InteractionLog& log,
    std::span<const std::uint32_t> thing_of_item,
    std::size_t n_things,
    std::size_t window
)
    : window_(window), offsets_(n_things + 1, 0) {
    HG_CHECK(thing_of_item.size() == log.n_items(), "every item has its thing");
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto thing = thing_of_item[history.items[i].index()];
            if (history.weight(i) > 0 && thing != nothing) {
                things_.push_back(thing);
                ++offsets_[thing + 1];
            }
        }
        user_ends_.push_back(things_.size());
    }
    for (std::size_t t = 0; t < n_things; ++t) {
        offsets_[t + 1] += offsets_[t];
    }
    events_.resize(things_.size());
    auto next = offsets_;
    for (std::size_t at = 0; at < things_.size(); ++at) {
        events_[next[things_[at]]++] = at;
    }
}

std::optional<std::uint32_t> CoTaken::draw(std::uint32_t thing, Rng& rng) const {
    const auto n_events = offsets_[thing + 1] - offsets_[thing];
    if (n_events == 0) {
        return std::nullopt;
    }
    constexpr int most_tries = 8;  // a user may have taken nothing else, or the same again
    for (int i = 0; i < most_tries; ++i) {
        const auto at = events_[offsets_[thing] + rng.below(n_events)];
        const auto end = std::ranges::upper_bound(user_ends_, at);
        const auto user_begin = end == user_ends_.begin() ? 0 : *std::prev(end);
        const auto first = at - std::min(window_, at - user_begin);
        const auto last = std::min(*end, at + window_ + 1);
        const auto other = things_[first + rng.below(last - first)];
        if (other != thing) {
            return other;
        }
    }
    return std::nullopt;
}

}  // namespace hg::train
