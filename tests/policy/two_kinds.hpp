// SPDX-License-Identifier: Apache-2.0
// TwoKinds: a world of a served run's shape in which the right knob depends on the user.
#pragma once

#include "core/rng.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <memory>
#include <string>

namespace hg::policy {

/// Two kinds of user, told apart by the first number of their summary: newcomers (0) want what the
/// belief is least sure of, the others (1) what has the best score. The signals are noise, so that the
/// one knob that pays is exploration, and only for newcomers.
class TwoKinds final : public simulate::Environment {
  public:
    TwoKinds() { reset(0); }

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
        const std::size_t wanted = user_[0] > .5F ? 0 : 1;
        std::size_t best = 0;
        for (std::size_t i = 1; i < items_.rows(); ++i) {
            best = items_(i, wanted) > items_(best, wanted) ? i : best;
        }
        response_[0] = {.clicked = slate[0] == best, .value = slate[0] == best ? 1.0F : 0.0F};
        ++n_steps_;
        offer();
        return {
            .responses = response_,
            .reward = slate[0] == best ? 1.0 : 0.0,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<simulate::Environment> clone() const override {
        return std::make_unique<TwoKinds>(*this);
    }

    std::string describe_state() const override { return {}; }

  private:
    void offer() {
        user_ = {rng_.uniform() < .5 ? 0.0F : 1.0F, .5F, .5F, .5F};
        for (auto& number : items_.values()) {
            number = static_cast<float>(rng_.normal());
        }
    }

    simulate::EnvironmentFacts facts_{
        .n_candidates = 8,
        .user_size = 4,
        .item_size = 4,
        .n_items = 8,
        .step_limit = 10,
        .item_low = -10,
        .item_high = 10,
    };
    Rng rng_{0};
    std::size_t n_steps_ = 0;
    std::array<float, 4> user_{};
    Matrix<float> items_{8, 4};
    std::array<std::uint32_t, 8> ids_{0, 1, 2, 3, 4, 5, 6, 7};
    std::array<simulate::Response, 1> response_{};
};

}  // namespace hg::policy
