// SPDX-License-Identifier: Apache-2.0
#include "serve/reasons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::serve {
namespace {

constexpr std::size_t max_left_out = 20;

/// The distinct items liked last, newest first.
std::vector<ItemRow> liked_last(const Snapshot& snapshot, std::span<const UserEvent> events) {
    std::vector<ItemRow> rows;
    for (std::size_t i = events.size(); i > 0 && rows.size() < max_left_out; --i) {
        const auto& event = events[i - 1];
        const bool is_known = snapshot.model_row(event.row) != Snapshot::not_in_model;
        if (is_known && event.weight > 0 && std::ranges::find(rows, event.row) == rows.end()) {
            rows.push_back(event.row);
        }
    }
    return rows;
}

/// For each shown row the liked item whose absence costs its score most, if any costs anything.
std::vector<std::optional<ItemRow>> strongest_causes(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    std::span<const ItemRow> shown
) {
    std::vector<std::optional<ItemRow>> causes(shown.size());
    const auto liked = liked_last(snapshot, user.events);
    if (liked.empty() || shown.empty()) {
        return causes;
    }
    std::vector<data::HistoryBuffer> buffers{model_history(snapshot, user)};
    for (const auto left_out : liked) {
        std::vector<UserEvent> rest;
        std::ranges::copy_if(user.events, std::back_inserter(rest), [&](const auto& e) {
            return e.row != left_out;
        });
        buffers.push_back(model_history(snapshot, {rest, user.attributes}));
    }
    std::vector<data::History> histories;
    for (const auto& buffer : buffers) {
        histories.push_back(buffer.view());
    }
    const auto scores = score_rows(snapshot, items, histories, shown);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const float with_all = scores(0, i);
        float worst = 1e-5F * std::max(1.0F, std::abs(with_all));  // less is rounding
        for (std::size_t l = 0; l < liked.size(); ++l) {
            const float cost = with_all - scores(l + 1, i);
            if (cost > worst && liked[l] != shown[i]) {
                worst = cost;
                causes[i] = liked[l];
            }
        }
    }
    return causes;
}

}  // namespace

std::vector<Reason> reasons_for(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    std::span<const ItemRow> shown,
    Explain explain
) {
    auto causes = explain == Explain::yes ? strongest_causes(snapshot, items, user, shown)
                                          : std::vector<std::optional<ItemRow>>(shown.size());
    std::vector<Reason> reasons;
    const auto read = items.read();
    for (std::size_t i = 0; i < shown.size(); ++i) {
        if (causes[i]) {
            const auto& title = read.title(*causes[i]);
            const auto& name = title.empty() ? read.id(*causes[i]) : title;
            reasons.push_back(
                {.text = fmt::format("because you liked {}", name), .because = causes[i]}
            );
        } else {
            reasons.push_back({.text = read.is_popular(shown[i]) ? "popular now" : "new for you"});
        }
    }
    return reasons;
}

}  // namespace hg::serve
