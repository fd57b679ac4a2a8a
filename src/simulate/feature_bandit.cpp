// SPDX-License-Identifier: Apache-2.0
#include "simulate/feature_bandit.hpp"

#include "core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace hg::simulate {
namespace {

constexpr float widest = 12;  // no normal draw lies further out

class FeatureBandit final : public Environment {
  public:
    FeatureBandit(const FeatureBanditOptions& options, Link link)
        : options_(options),
          link_(link),
          theta_(static_cast<std::size_t>(options.dim)),
          items_(static_cast<std::size_t>(options.n_candidates), theta_.size()),
          item_ids_(items_.rows()) {
        std::iota(item_ids_.begin(), item_ids_.end(), 0U);
        const double reach = options.scale * widest * std::sqrt(static_cast<double>(options.dim));
        facts_ = {
            .n_candidates = items_.rows(),
            .slate_size = 1,
            .user_size = 1,
            .item_size = theta_.size(),
            .step_limit = static_cast<std::size_t>(options.step_limit),
            .item_low = -widest,
            .item_high = widest,
            .reward_low = link == Link::logit ? 0 : -reach - widest * options.noise,
            .reward_high = link == Link::logit ? 1 : reach + widest * options.noise,
        };
        draw_theta(Rng{static_cast<std::uint64_t>(options.task_seed)});
        draw_items();
    }

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        random_ = Rng{seed};
        n_steps_ = 0;
        if (options_.redraw == "episode") {
            draw_theta(random_.split("theta"));
        }
        draw_items();
    }

    Observation observe() const override {
        return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
    }

    Transition step(std::span<const std::uint32_t> slate) override {
        check_slate(facts_, slate);
        const double mean = mean_reward(slate.front());
        const double reward = link_ == Link::logit ? (random_.uniform() < mean ? 1.0 : 0.0)
                                                   : mean + options_.noise * random_.normal();
        responses_[0] = {
            .clicked = link_ == Link::logit ? reward > 0 : true,
            .value = static_cast<float>(reward),
        };
        draw_items();
        ++n_steps_;
        return {
            .responses = responses_,
            .reward = reward,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<Environment> clone() const override {
        return std::make_unique<FeatureBandit>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        return mean_reward(slate.front());
    }

    std::string describe_state() const override {
        return fmt::format("theta0={:.3f} item0={:.3f}", theta_[0], items_(0, 0));
    }

  private:
    void draw_theta(Rng random) {
        for (double& value : theta_) {
            value = random.normal();
        }
        const double length =
            std::sqrt(std::inner_product(theta_.begin(), theta_.end(), theta_.begin(), 0.0));
        for (double& value : theta_) {
            value *= options_.scale / length;
        }
    }

    void draw_items() {
        for (float& value : items_.values()) {
            value = std::clamp(static_cast<float>(random_.normal()), -widest, widest);
        }
    }

    double mean_reward(std::uint32_t candidate) const {
        const auto x = items_.row(candidate);
        const double utility = std::inner_product(x.begin(), x.end(), theta_.begin(), 0.0) /
                               std::sqrt(static_cast<double>(options_.dim));
        return link_ == Link::logit ? 1 / (1 + std::exp(-options_.bias - utility)) : utility;
    }

    FeatureBanditOptions options_;
    Link link_;
    EnvironmentFacts facts_;
    Rng random_{0};
    std::vector<double> theta_;
    std::size_t n_steps_ = 0;
    std::array<float, 1> user_{1.0F};
    std::array<Response, 1> responses_{};
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
};

}  // namespace

std::unique_ptr<Environment> make_feature_bandit(const FeatureBanditOptions& options, Link link) {
    return std::make_unique<FeatureBandit>(options, link);
}

}  // namespace hg::simulate
