// SPDX-License-Identifier: Apache-2.0
#include "simulate/environment_batch.hpp"

#include "core/rng.hpp"

#include <algorithm>
#include <limits>

namespace hg::simulate {
namespace {

class Clones final : public EnvironmentBatch {
  public:
    Clones(const Environment& world, std::size_t n_users)
        : facts_(world.facts()),
          users_(n_users, facts_.user_size),
          items_(n_users * facts_.n_candidates, facts_.item_size),
          item_ids_(n_users, facts_.n_candidates),
          states_(n_users),
          next_users_(n_users, facts_.user_size),
          next_items_(n_users * facts_.n_candidates, facts_.item_size),
          next_item_ids_(n_users, facts_.n_candidates),
          next_states_(n_users),
          responses_(n_users, facts_.slate_size),
          rewards_(n_users),
          ended_(n_users),
          truncated_(n_users),
          episodes_(n_users) {
        HG_CHECK(n_users > 0, "a batch has at least one user");
        for (std::size_t i = 0; i < n_users; ++i) {
            worlds_.push_back(world.clone());
        }
    }

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    std::size_t size() const noexcept override { return worlds_.size(); }

    void reset(std::uint64_t seed) override {
        seed_ = seed;
        for (std::size_t i = 0; i < size(); ++i) {
            episodes_[i] = 0;
            begin(i);
            copy_observation(i, users_, items_, item_ids_, states_);
        }
    }

    void step(MatrixView<const std::uint32_t> slates) override {
        for (std::size_t i = 0; i < size(); ++i) {
            auto& world = *worlds_[i];
            const auto transition = world.step(slates.row(i));
            std::ranges::copy(transition.responses, responses_.row(i).begin());
            rewards_[i] = transition.reward;
            ended_[i] = transition.ended ? 1 : 0;
            truncated_[i] = transition.truncated ? 1 : 0;
            copy_observation(i, next_users_, next_items_, next_item_ids_, next_states_);
            if (transition.ended || transition.truncated) {
                ++episodes_[i];
                begin(i);
            }
            copy_observation(i, users_, items_, item_ids_, states_);
        }
    }

    MatrixView<const float> users() const override { return users_.view(); }

    MatrixView<const float> items() const override { return items_.view(); }

    MatrixView<const std::uint32_t> item_ids() const override { return item_ids_.view(); }

    std::span<const std::uint32_t> states() const override { return states_; }

    MatrixView<const Response> responses() const override { return responses_.view(); }

    std::span<const double> rewards() const override { return rewards_; }

    std::span<const std::uint8_t> ended() const override { return ended_; }

    std::span<const std::uint8_t> truncated() const override { return truncated_; }

    MatrixView<const float> next_users() const override { return next_users_.view(); }

    MatrixView<const float> next_items() const override { return next_items_.view(); }

    MatrixView<const std::uint32_t> next_item_ids() const override { return next_item_ids_.view(); }

    std::span<const std::uint32_t> next_states() const override { return next_states_; }

    void expected_rewards(MatrixView<const std::uint32_t> slates, std::span<double> out)
        const override {
        for (std::size_t i = 0; i < size(); ++i) {
            out[i] = worlds_[i]
                         ->expected_reward(slates.row(i))
                         .value_or(std::numeric_limits<double>::quiet_NaN());
        }
    }

    std::string describe_state(std::size_t user) const override {
        return worlds_.at(user)->describe_state();
    }

    std::unique_ptr<EnvironmentBatch> make_another(std::size_t n_users) const override {
        return make_batch(*worlds_.front(), n_users);
    }

  private:
    void begin(std::size_t i) { worlds_[i]->reset(Rng{seed_}.split(i).split(episodes_[i])()); }

    void copy_observation(
        std::size_t i,
        Matrix<float>& users,
        Matrix<float>& items,
        Matrix<std::uint32_t>& item_ids,
        std::vector<std::uint32_t>& states
    ) {
        const auto seen = worlds_[i]->observe();
        std::ranges::copy(seen.user, users.row(i).begin());
        if (!seen.items.empty()) {
            const auto target =
                items.view().rows_slice(i * facts_.n_candidates, facts_.n_candidates);
            std::copy_n(seen.items.data(), seen.items.rows() * seen.items.cols(), target.data());
        }
        std::ranges::copy(seen.item_ids, item_ids.row(i).begin());
        states[i] = seen.state;
    }

    EnvironmentFacts facts_;
    std::vector<std::unique_ptr<Environment>> worlds_;
    Matrix<float> users_;
    Matrix<float> items_;
    Matrix<std::uint32_t> item_ids_;
    std::vector<std::uint32_t> states_;
    Matrix<float> next_users_;
    Matrix<float> next_items_;
    Matrix<std::uint32_t> next_item_ids_;
    std::vector<std::uint32_t> next_states_;
    Matrix<Response> responses_;
    std::vector<double> rewards_;
    std::vector<std::uint8_t> ended_;
    std::vector<std::uint8_t> truncated_;
    std::vector<std::uint64_t> episodes_;
    std::uint64_t seed_ = 0;
};

}  // namespace

std::unique_ptr<EnvironmentBatch> make_batch(const Environment& world, std::size_t n_users) {
    return std::make_unique<Clones>(world, n_users);
}

}  // namespace hg::simulate
