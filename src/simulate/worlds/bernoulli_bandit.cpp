// SPDX-License-Identifier: Apache-2.0
// The Bernoulli bandit: every item has its own click probability, nothing else matters.
#include "core/rng.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace hg::simulate {
namespace {

struct BernoulliBanditOptions {
    std::int64_t arms = 10;
    double low = 0.0;
    double high = 1.0;
    std::string redraw = "never";
    std::int64_t task_seed = 7;
    std::int64_t step_limit = 1000;

    static void describe(OptionBinder& bind, BernoulliBanditOptions& o) {
        bind("arms", o.arms, "items", {.min = 2, .max = 10000});
        bind("low", o.low, "smallest click probability", {.min = 0, .max = 1});
        bind("high", o.high, "largest click probability", {.min = 0, .max = 1});
        bind(
            "redraw",
            o.redraw,
            "the probabilities are those of task_seed, or new in every episode",
            {.choices = {"never", "episode"}}
        );
        bind("task_seed", o.task_seed, "of the probabilities", {.min = 0, .max = 1e15});
        bind("step_limit", o.step_limit, "steps of an episode", {.min = 1, .max = 1e9});
    }
};

class BernoulliBandit final : public Environment {
  public:
    explicit BernoulliBandit(const BernoulliBanditOptions& options)
        : options_(options),
          probabilities_(static_cast<std::size_t>(options.arms)),
          items_(probabilities_.size(), probabilities_.size()),
          item_ids_(probabilities_.size()) {
        if (options.low > options.high) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("low {} is above high {}", options.low, options.high),
                "set low <= high"
            };
        }
        const auto n = probabilities_.size();
        for (std::size_t i = 0; i < n; ++i) {
            items_(i, i) = 1;
        }
        std::iota(item_ids_.begin(), item_ids_.end(), 0U);
        facts_ = {
            .n_candidates = n,
            .slate_size = 1,
            .user_size = 1,
            .item_size = n,
            .n_items = n,
            .n_states = 1,
            .step_limit = static_cast<std::size_t>(options.step_limit),
        };
        draw(Rng{static_cast<std::uint64_t>(options.task_seed)});
    }

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        random_ = Rng{seed};
        n_steps_ = 0;
        if (options_.redraw == "episode") {
            draw(random_.split("probabilities"));
        }
    }

    Observation observe() const override {
        return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
    }

    Transition step(std::span<const std::uint32_t> slate) override {
        check_slate(facts_, slate);
        const bool clicked = random_.uniform() < probabilities_[slate.front()];
        responses_[0] = {.clicked = clicked, .value = clicked ? 1.0F : 0.0F};
        ++n_steps_;
        return {
            .responses = responses_,
            .reward = clicked ? 1.0 : 0.0,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<Environment> clone() const override {
        return std::make_unique<BernoulliBandit>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        return probabilities_[slate.front()];
    }

    std::string describe_state() const override {
        std::string text = "p=";
        for (const double p : probabilities_) {
            text += fmt::format("{}{:.3f}", text.size() > 2 ? "," : "", p);
        }
        return text;
    }

  private:
    void draw(Rng random) {
        for (double& p : probabilities_) {
            p = options_.low + (options_.high - options_.low) * random.uniform();
        }
    }

    BernoulliBanditOptions options_;
    EnvironmentFacts facts_;
    Rng random_{0};
    std::vector<double> probabilities_;
    std::size_t n_steps_ = 0;
    std::array<float, 1> user_{1.0F};
    std::array<Response, 1> responses_{};
    Matrix<float> items_;  // one-hot
    std::vector<std::uint32_t> item_ids_;
};

std::unique_ptr<Environment> bernoulli_bandit_environment(const Settings& settings) {
    return std::make_unique<BernoulliBandit>(settings.read<BernoulliBanditOptions>());
}

}  // namespace

extern const WorldEntry bernoulli_bandit{
    .name = "bernoulli_bandit",
    .summary = "every item has a click probability of its own",
    .options = &describe_options<BernoulliBanditOptions>,
    .make = &bernoulli_bandit_environment,
};

}  // namespace hg::simulate
