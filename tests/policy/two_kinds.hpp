// SPDX-License-Identifier: Apache-2.0
// TwoKinds: a world of a served run's shape in which the right knob depends on the user.
#pragma once

#include "policy/served_items.hpp"
#include "policy/two_users.hpp"

namespace hg::policy {

/// Newcomers (first number 0) want what the belief is least sure of, the others (1) what has the best score. The
/// signals are noise, so that the one knob that pays is exploration, and only for newcomers.
class TwoKinds final : public TwoUsers<TwoKinds> {
  public:
    TwoKinds() : TwoUsers(1, plain_item_size) { reset(0); }

  private:
    [[nodiscard]] bool clicks(std::span<const std::uint32_t> slate, std::size_t slot)
        const override {
        const std::size_t wanted = is_second_kind() ? 0 : 1;
        std::size_t best = 0;
        for (std::size_t i = 1; i < items().rows(); ++i) {
            best = items()(i, wanted) > items()(best, wanted) ? i : best;
        }
        return slate[slot] == best;
    }

    void offer(Rng& rng, MatrixView<float> items) override {
        for (std::size_t i = 0; i < items.rows(); ++i) {
            for (auto& number : items.row(i)) {
                number = static_cast<float>(rng.normal());
            }
        }
    }
};

}  // namespace hg::policy
