// SPDX-License-Identifier: Apache-2.0
// The population world: another user at every step, and new items of unknown quality that arrive
// while the oldest go. What one user does with an item teaches for all that follow, so showing the
// untried pays: an episode is a day of the shop, not a visit.
//
//   P(click) = 1 / (1 + exp(-(base + quality + taste . topic)))
//
// Visible: the user's taste; of every item its topic, how often it was shown, its clicks per
// showing (with one half of a pseudo click) and its age. Hidden: the quality.
#include "core/rng.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace hg::simulate {
namespace {

constexpr std::size_t n_counters = 3;  // log(1 + shown), clicks per showing, age
constexpr float widest = 12;

struct PopulationOptions {
    std::int64_t n_items = 20;
    std::int64_t n_topics = 4;
    std::int64_t arrival_every = 10;
    double base = -2;
    double quality_sd = 1;
    double taste_sd = 1;
    std::int64_t step_limit = 500;

    static void describe(OptionBinder& bind, PopulationOptions& o) {
        bind("n_items", o.n_items, "items on offer", {.min = 2, .max = 10000});
        bind("n_topics", o.n_topics, "topics", {.min = 1, .max = 100});
        bind(
            "arrival_every",
            o.arrival_every,
            "users between two arrivals; 0 = none",
            {.min = 0, .max = 1e9}
        );
        bind("base", o.base, "logit of an average item", {.min = -20, .max = 20});
        bind("quality_sd", o.quality_sd, "spread of the hidden quality", {.min = 0, .max = 10});
        bind("taste_sd", o.taste_sd, "spread of the users' tastes", {.min = 0, .max = 10});
        bind("step_limit", o.step_limit, "users of an episode", {.min = 1, .max = 1e9});
    }
};

class Population final : public Environment {
  public:
    explicit Population(const PopulationOptions& options)
        : options_(options),
          quality_(static_cast<std::size_t>(options.n_items)),
          shown_(quality_.size()),
          clicks_(quality_.size()),
          arrived_(quality_.size()),
          topic_(quality_.size()),
          user_(static_cast<std::size_t>(options.n_topics)),
          items_(quality_.size(), user_.size() + n_counters),
          item_ids_(quality_.size()) {
        std::iota(item_ids_.begin(), item_ids_.end(), 0U);
        facts_ = {
            .n_candidates = quality_.size(),
            .slate_size = 1,
            .user_size = user_.size(),
            .item_size = items_.cols(),
            .step_limit = static_cast<std::size_t>(options.step_limit),
            .user_low = -widest,
            .user_high = widest,
            .item_high = 25,
        };
        begin();
    }

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        random_ = Rng{seed};
        begin();
    }

    Observation observe() const override {
        return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
    }

    Transition step(std::span<const std::uint32_t> slate) override {
        check_slate(facts_, slate);
        const auto item = slate.front();
        const bool clicked = random_.uniform() < click_probability(item);
        responses_[0] = {.clicked = clicked, .value = clicked ? 1.0F : 0.0F};
        shown_[item] += 1;
        clicks_[item] += clicked ? 1 : 0;
        ++n_steps_;
        if (options_.arrival_every > 0 &&
            n_steps_ % static_cast<std::size_t>(options_.arrival_every) == 0) {
            const auto oldest = std::ranges::min_element(arrived_) - arrived_.begin();
            draw_item(static_cast<std::size_t>(oldest));
        }
        draw_user();
        show_items();
        return {
            .responses = responses_,
            .reward = clicked ? 1.0 : 0.0,
            .truncated = n_steps_ == facts_.step_limit,
        };
    }

    std::unique_ptr<Environment> clone() const override {
        return std::make_unique<Population>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        return click_probability(slate.front());
    }

    std::string describe_state() const override {
        const auto best = std::ranges::max_element(quality_) - quality_.begin();
        return fmt::format(
            "best_item={} quality={:.3f}", best, quality_[static_cast<std::size_t>(best)]
        );
    }

  private:
    void begin() {
        n_steps_ = 0;
        n_arrivals_ = 0;
        for (std::size_t i = 0; i < quality_.size(); ++i) {
            draw_item(i);
        }
        draw_user();
        show_items();
    }

    void draw_item(std::size_t i) {
        quality_[i] = options_.quality_sd * random_.normal();
        topic_[i] = random_.below(user_.size());
        shown_[i] = 0;
        clicks_[i] = 0;
        arrived_[i] = n_arrivals_++;
    }

    void draw_user() {
        for (float& taste : user_) {
            taste = std::clamp(
                static_cast<float>(options_.taste_sd * random_.normal()), -widest, widest
            );
        }
    }

    void show_items() {
        for (std::size_t i = 0; i < quality_.size(); ++i) {
            const auto row = items_.row(i);
            std::ranges::fill(row, 0.0F);
            row[topic_[i]] = 1;
            row[user_.size()] = static_cast<float>(std::log1p(shown_[i]));
            row[user_.size() + 1] = static_cast<float>((clicks_[i] + 0.5) / (shown_[i] + 1));
            const double age = static_cast<double>(n_arrivals_ - 1 - arrived_[i]);
            row[user_.size() + 2] = static_cast<float>(age / static_cast<double>(quality_.size()));
        }
    }

    double click_probability(std::uint32_t item) const {
        const double logit = options_.base + quality_[item] + user_[topic_[item]];
        return 1 / (1 + std::exp(-logit));
    }

    PopulationOptions options_;
    EnvironmentFacts facts_;
    Rng random_{0};
    std::vector<double> quality_;
    std::vector<double> shown_;
    std::vector<double> clicks_;
    std::vector<std::uint64_t> arrived_;
    std::vector<std::size_t> topic_;
    std::uint64_t n_arrivals_ = 0;
    std::size_t n_steps_ = 0;
    std::vector<float> user_;
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
    std::array<Response, 1> responses_{};
};

std::unique_ptr<Environment> population_environment(const Settings& settings) {
    return std::make_unique<Population>(settings.read<PopulationOptions>());
}

}  // namespace

extern const WorldEntry population{
    .name = "population",
    .summary = "new items of unknown quality arrive; one user's clicks teach for all",
    .options = &describe_options<PopulationOptions>,
    .make = &population_environment,
};

}  // namespace hg::simulate
