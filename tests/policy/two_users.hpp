// SPDX-License-Identifier: Apache-2.0
// TwoUsers: worlds of a served run's shape with two kinds of user, told apart by the first number of their summary.
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hg::policy {

/// Eight items; every step is another user, of either kind as likely. A world derived from it says what the items
/// show and who clicks.
template <class Derived>
class TwoUsers : public simulate::Environment {
  public:
    const simulate::EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        rng_ = Rng{seed};
        n_steps_ = 0;
        next_user();
    }

    simulate::Observation observe() const override {
        return {.user = user_, .items = items_.view(), .item_ids = ids_};
    }

    simulate::Transition step(std::span<const std::uint32_t> slate) override {
        double reward = 0;
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            const bool is_clicked = clicks(slate, slot);
            responses_[slot] = {.clicked = is_clicked, .value = is_clicked ? 1.0F : 0.0F};
            reward += is_clicked ? 1 : 0;
        }
        ++n_steps_;
        next_user();
        return {
            .responses = responses_,
            .reward = reward,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<simulate::Environment> clone() const override {
        return std::make_unique<Derived>(static_cast<const Derived&>(*this));
    }

    std::string describe_state() const override { return {}; }

  protected:
    static constexpr std::size_t n_items = 8;

    TwoUsers(std::size_t slate_size, std::size_t item_size)
        : facts_{
              .n_candidates = n_items,
              .slate_size = slate_size,
              .user_size = 4,
              .item_size = item_size,
              .n_items = n_items,
              .step_limit = 10,
              .item_low = -10,
              .item_high = 10,
              .reward_high = static_cast<double>(slate_size),
          },
          items_(n_items, item_size), responses_(slate_size) {}

    [[nodiscard]] virtual bool clicks(std::span<const std::uint32_t> slate, std::size_t slot)
        const = 0;
    /// Fills the items of the next user.
    virtual void offer(Rng& rng, MatrixView<float> items) = 0;

    [[nodiscard]] bool is_second_kind() const noexcept { return user_[0] > .5F; }

    [[nodiscard]] MatrixView<const float> items() const noexcept { return items_.view(); }

  private:
    void next_user() {
        user_ = {rng_.uniform() < .5 ? 0.0F : 1.0F, .5F, .5F, .5F};
        offer(rng_, items_.view());
    }

    simulate::EnvironmentFacts facts_;
    Rng rng_{0};
    std::size_t n_steps_ = 0;
    std::array<float, 4> user_{};
    Matrix<float> items_;
    std::array<std::uint32_t, n_items> ids_{0, 1, 2, 3, 4, 5, 6, 7};
    std::vector<simulate::Response> responses_;
};

}  // namespace hg::policy
