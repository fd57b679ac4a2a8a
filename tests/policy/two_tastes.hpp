// SPDX-License-Identifier: Apache-2.0
// TwoTastes: a world of a served run's shape with slates, in which diversity pays for one kind of user alone.
#pragma once

#include "policy/served_items.hpp"
#include "policy/two_users.hpp"

#include <array>

namespace hg::policy {

/// Four directions of two items each, whose scores differ little: greed shows both of the best. Everybody clicks the
/// first of two slots; the second those whose first number is 0 where its direction is another one, the others (1)
/// where it is the same. 20 in ten slates where diversity follows the user, 15 of one diversity for everyone.
class TwoTastes final : public TwoUsers<TwoTastes> {
  public:
    TwoTastes() : TwoUsers(2, plain_item_size + n_directions) { reset(0); }

  private:
    static constexpr std::size_t n_directions = 4;

    static std::size_t direction_of(std::size_t item) { return item % n_directions; }

    [[nodiscard]] bool clicks(std::span<const std::uint32_t> slate, std::size_t slot)
        const override {
        const bool is_alike = direction_of(slate[0]) == direction_of(slate[1]);
        return slot == 0 || is_alike == is_second_kind();
    }

    void offer(Rng& rng, MatrixView<float> items) override {
        std::array<double, n_directions> scores{};
        for (auto& score : scores) {
            score = rng.normal();
        }
        for (std::size_t i = 0; i < items.rows(); ++i) {
            const auto row = items.row(i);
            for (auto& number : row.first(plain_item_size)) {
                number = static_cast<float>(rng.normal());
            }
            row[0] = static_cast<float>(scores[direction_of(i)] + 0.02 * rng.normal());
            for (std::size_t d = 0; d < n_directions; ++d) {
                row[plain_item_size + d] = d == direction_of(i) ? 1.0F : 0.0F;
            }
        }
    }
};

}  // namespace hg::policy
