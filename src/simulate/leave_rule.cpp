// SPDX-License-Identifier: Apache-2.0
#include "simulate/leave_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace hg::simulate {
namespace {

double squared_distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - b[i];
        sum += difference * difference;
    }
    return sum;
}

class LeavingUser final : public Environment {
  public:
    LeavingUser(std::unique_ptr<Environment> world, const LeaveOptions& options)
        : world_(std::move(world)),
          options_(options),
          facts_(world_->facts()),
          memory_(static_cast<std::size_t>(options.window), facts_.item_size) {}

    LeavingUser(const LeavingUser& other)
        : Environment(other),
          world_(other.world_->clone()),
          options_(other.options_),
          facts_(other.facts_),
          memory_(other.memory_),
          n_remembered_(other.n_remembered_),
          temper_(other.temper_) {}

    LeavingUser& operator=(const LeavingUser&) = delete;
    LeavingUser(LeavingUser&&) = delete;
    LeavingUser& operator=(LeavingUser&&) = delete;
    ~LeavingUser() override = default;

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        world_->reset(seed);
        n_remembered_ = 0;
        temper_ = options_.temper;
    }

    Observation observe() const override { return world_->observe(); }

    Transition step(std::span<const std::uint32_t> slate) override {
        check_slate(facts_, slate);
        const bool bored = look(slate);  // before the world replaces its candidates
        auto transition = world_->step(slate);
        if (options_.temper > 0) {
            const auto clicks = std::ranges::count_if(transition.responses, &Response::clicked);
            temper_ -= options_.temper_cost -
                       static_cast<double>(clicks) / static_cast<double>(slate.size());
        }
        if (bored || (options_.temper > 0 && temper_ <= 0)) {
            transition.ended = true;
            transition.truncated = false;
        }
        return transition;
    }

    std::unique_ptr<Environment> clone() const override {
        return std::make_unique<LeavingUser>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        return world_->expected_reward(slate);
    }

    std::string describe_state() const override {
        return fmt::format("{} temper={:.3f}", world_->describe_state(), temper_);
    }

  private:
    /// Whether one of these items resembles too many remembered ones; then remembers them.
    bool look(std::span<const std::uint32_t> slate) {
        if (options_.max_similar <= 0) {
            return false;
        }
        const auto items = world_->observe().items;
        const std::size_t n = std::min(n_remembered_, memory_.rows());
        const double limit = options_.similar_distance * options_.similar_distance;
        bool bored = false;
        for (const auto candidate : slate) {
            std::int64_t similar = 0;
            for (std::size_t m = 0; m < n; ++m) {
                similar += squared_distance(memory_.row(m), items.row(candidate)) <= limit ? 1 : 0;
            }
            bored = bored || similar > options_.max_similar;
        }
        for (const auto candidate : slate) {
            std::ranges::copy(
                items.row(candidate), memory_.row(n_remembered_ % memory_.rows()).begin()
            );
            ++n_remembered_;
        }
        return bored;
    }

    std::unique_ptr<Environment> world_;
    LeaveOptions options_;
    EnvironmentFacts facts_;
    Matrix<float> memory_;  // a ring of the last shown items' features
    std::size_t n_remembered_ = 0;
    double temper_ = 0;
};

}  // namespace

std::unique_ptr<Environment> with_leave_rule(
    std::unique_ptr<Environment> world, const LeaveOptions& options
) {
    return std::make_unique<LeavingUser>(std::move(world), options);
}

}  // namespace hg::simulate
