// SPDX-License-Identifier: Apache-2.0
#include "policy/session_tokens.hpp"

#include <algorithm>
#include <cmath>

namespace hg::policy {
namespace {

/// Values may be anything (minutes, money): logarithms keep them near 1.
float squash(float value) {
    return std::copysign(std::log1p(std::abs(value)), value);
}

}  // namespace

void write_token(
    std::span<float> place,
    std::span<const float> item,
    std::uint32_t item_id,
    const simulate::Response& response
) {
    std::ranges::copy(item, place.begin());
    const auto marks = place.subspan(item.size());
    marks[0] = response.clicked ? 1.0F : 0.0F;
    marks[1] = squash(response.value);
    marks[2] = squash(response.rating);
    marks[3] = 1;
    marks[4] = static_cast<float>(item_id);
}

SessionTokens::SessionTokens(
    const simulate::EnvironmentFacts& facts, std::size_t n_users, std::size_t length
)
    : n_candidates_(facts.n_candidates),
      item_size_(facts.item_size),
      length_(length),
      tokens_(n_users, length * token_size(facts)),
      next_(n_users, length * token_size(facts)) {}

void SessionTokens::clear() {
    std::ranges::fill(tokens_.values(), 0.0F);
    std::ranges::fill(next_.values(), 0.0F);
}

void SessionTokens::append(
    const ObservationBatch& seen,
    MatrixView<const std::uint32_t> slates,
    const simulate::EnvironmentBatch& batch
) {
    if (length_ == 0) {
        return;
    }
    const std::size_t token = item_size_ + n_behind;
    for (std::size_t u = 0; u < slates.rows(); ++u) {
        const auto row = tokens_.row(u);
        const auto slate = slates.row(u);
        const std::size_t n_new = std::min(slate.size(), length_);
        std::shift_left(row.begin(), row.end(), static_cast<std::ptrdiff_t>(n_new * token));
        for (std::size_t slot = 0; slot < n_new; ++slot) {
            const auto place = row.subspan((length_ - n_new + slot) * token, token);
            write_token(
                place,
                seen.items.row(u * n_candidates_ + slate[slot]),
                seen.item_ids(u, slate[slot]),
                batch.responses()(u, slot)
            );
        }
        std::ranges::copy(row, next_.row(u).begin());
        if (batch.ended()[u] != 0 || batch.truncated()[u] != 0) {
            std::ranges::fill(row, 0.0F);
        }
    }
}

}  // namespace hg::policy
