// SPDX-License-Identifier: Apache-2.0
// TwoTastes: a world of a served run's shape with slates, in which diversity pays for one kind of user alone.
#pragma once

#include "core/rng.hpp"
#include "policy/served_items.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <memory>
#include <string>

namespace hg::policy {

/// Four directions of two items each, whose scores differ little: greed shows both of the best. Everybody clicks the
/// first of two slots; the second those whose first number is 0 where its direction is another one, the others (1)
/// where it is the same. 20 in ten slates where diversity follows the user, 15 of one diversity for everyone.
class TwoTastes final : public simulate::Environment {
  public:
    TwoTastes() { reset(0); }

    const simulate::EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        rng_ = Rng{seed};
        n_steps_ = 0;
        offer();
    }

    simulate::Observation observe() const override {
        return {.user = user_, .items = items_.view(), .item_ids = ids_};
    }

    simulate::Transition step(std::span<const std::uint32_t> slate) override {
        const bool is_alike = direction_of(slate[0]) == direction_of(slate[1]);
        const bool is_second_clicked = is_alike == (user_[0] > .5F);
        responses_[0] = {.clicked = true, .value = 1};
        responses_[1] = {.clicked = is_second_clicked, .value = is_second_clicked ? 1.0F : 0.0F};
        ++n_steps_;
        offer();
        return {
            .responses = responses_,
            .reward = is_second_clicked ? 2.0 : 1.0,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<simulate::Environment> clone() const override {
        return std::make_unique<TwoTastes>(*this);
    }

    std::string describe_state() const override { return {}; }

  private:
    static constexpr std::size_t n_directions = 4;

    static std::size_t direction_of(std::size_t item) { return item % n_directions; }

    void offer() {
        user_ = {rng_.uniform() < .5 ? 0.0F : 1.0F, .5F, .5F, .5F};
        std::array<double, n_directions> scores{};
        for (auto& score : scores) {
            score = rng_.normal();
        }
        for (std::size_t i = 0; i < items_.rows(); ++i) {
            const auto row = items_.row(i);
            for (auto& number : row.first(plain_item_size)) {
                number = static_cast<float>(rng_.normal());
            }
            row[0] = static_cast<float>(scores[direction_of(i)] + 0.02 * rng_.normal());
            for (std::size_t d = 0; d < n_directions; ++d) {
                row[plain_item_size + d] = d == direction_of(i) ? 1.0F : 0.0F;
            }
        }
    }

    simulate::EnvironmentFacts facts_{
        .n_candidates = 8,
        .slate_size = 2,
        .user_size = 4,
        .item_size = plain_item_size + n_directions,
        .n_items = 8,
        .step_limit = 10,
        .item_low = -10,
        .item_high = 10,
        .reward_high = 2,
    };
    Rng rng_{0};
    std::size_t n_steps_ = 0;
    std::array<float, 4> user_{};
    Matrix<float> items_{8, plain_item_size + n_directions};
    std::array<std::uint32_t, 8> ids_{0, 1, 2, 3, 4, 5, 6, 7};
    std::array<simulate::Response, 2> responses_{};
};

}  // namespace hg::policy
