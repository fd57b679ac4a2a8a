// SPDX-License-Identifier: Apache-2.0
// NetInput: what an agent's network sees of B users, as tensors: owned, or borrowed from an
// ObservationBatch. Private to this room.
//
//   auto kept = NetInput::zeros(1000, world, session_size);
//   kept.put(0, borrow(seen, world.n_candidates));
#pragma once

#include "policy/agent.hpp"

#include <torch/types.h>

#include <cstddef>
#include <cstdint>

namespace hg::policy {

/// Of a container, as tensors count.
[[nodiscard]] constexpr std::int64_t signed_size(std::size_t n) noexcept {
    return static_cast<std::int64_t>(n);
}

struct NetInput {
    at::Tensor users;     // [B, user_size]
    at::Tensor items;     // [B, n, item_size]
    at::Tensor item_ids;  // [B, n] int32
    at::Tensor sessions;  // [B, session_size]

    [[nodiscard]] static NetInput zeros(
        std::int64_t rows, const simulate::EnvironmentFacts& world, std::size_t session_size
    );

    [[nodiscard]] NetInput rows(const at::Tensor& index) const;

    /// n rows from `first` on; views.
    [[nodiscard]] NetInput slice(std::int64_t first, std::int64_t n) const;

    /// All rows of `from` into these from `row` on.
    void put(std::int64_t row, const NetInput& from);

    /// One user of a batch into one row.
    void put(std::int64_t row, const ObservationBatch& from, std::size_t user);
};

/// Borrows the batch's memory: clone what is kept.
[[nodiscard]] NetInput borrow(const ObservationBatch& seen, std::size_t n_candidates);

/// Blocks of the user's numbers as wide as an item's.
[[nodiscard]] std::int64_t product_count(const simulate::EnvironmentFacts& world);

/// Dot products of every item with those blocks: [B, n, n_products].
[[nodiscard]] at::Tensor item_products(const NetInput& in, std::int64_t n_products);

/// The tokens of sessions [B, length * token_size] without their items' numbers, [B, length,
/// item_size + 4] (session_tokens.hpp). A view.
[[nodiscard]] at::Tensor answers_of(const at::Tensor& sessions, std::int64_t length);

/// Where such tokens hold an answer: 1, else 0; [B, length].
[[nodiscard]] inline at::Tensor present_of(const at::Tensor& answers) {
    return answers.select(2, answers.size(2) - 1);
}

/// The items' numbers of these sessions, [B, length] int32; 0 where there is none.
[[nodiscard]] at::Tensor session_item_ids(const at::Tensor& sessions, std::int64_t length);

}  // namespace hg::policy
