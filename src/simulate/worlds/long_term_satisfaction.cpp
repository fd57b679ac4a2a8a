// SPDX-License-Identifier: Apache-2.0
#include "simulate/worlds/long_term_satisfaction.hpp"

#include "simulate/recsim_streams.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr double choc_mean = 5;
constexpr double kale_mean = 4;
constexpr double innovation_sd = 0.05;

}  // namespace

LongTermSatisfaction::LongTermSatisfaction(const LongTermSatisfactionOptions& options)
    : options_(options),
      clickbait_(static_cast<std::size_t>(options.n_candidates)),
      items_(clickbait_.size(), 1),
      item_ids_(clickbait_.size()) {
    std::iota(item_ids_.begin(), item_ids_.end(), 0U);
    facts_ = {
        .n_candidates = clickbait_.size(),
        .slate_size = 1,
        .user_size = user_.size(),
        .item_size = 1,
        .step_limit = 0,
        .reward_low = 0,
        .reward_high = std::exp(choc_mean + 8),  // 8 standard deviations above the mean
    };
    seed_streams(0, 0, 0);
    begin_episode();
}

void LongTermSatisfaction::seed_streams(
    std::uint32_t users, std::uint32_t documents, std::uint32_t responses
) {
    user_random_.reseed(users);
    document_random_.reseed(documents);
    response_random_.reseed(responses);
    draw_user();
    draw_documents();
}

void LongTermSatisfaction::begin_episode() {
    draw_user();
    if (options_.resample_documents) {
        draw_documents();
    }
}

void LongTermSatisfaction::reset(std::uint64_t seed) {
    reset_streams(*this, seed);
}

Observation LongTermSatisfaction::observe() const {
    return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
}

Transition LongTermSatisfaction::step(std::span<const std::uint32_t> slate) {
    check_slate(facts_, slate);
    const double k = clickbait_[slate.front()];
    const double engagement = std::exp(response_random_.normal(mean_log_engagement(k), 1.0));
    responses_[0] = {.clicked = true, .value = static_cast<float>(engagement)};
    exposure_ = options_.memory_discount * exposure_ - 2.0 * (k - 0.5) +
                response_random_.normal(0.0, innovation_sd);
    --budget_;
    update_satisfaction();
    if (options_.resample_documents) {
        draw_documents();
    }
    return {.responses = responses_, .reward = engagement, .ended = budget_ <= 0};
}

std::unique_ptr<Environment> LongTermSatisfaction::clone() const {
    return std::make_unique<LongTermSatisfaction>(*this);
}

std::optional<double> LongTermSatisfaction::expected_reward(std::span<const std::uint32_t> slate
) const {
    return std::exp(mean_log_engagement(clickbait_[slate.front()]) + 0.5);
}

std::string LongTermSatisfaction::describe_state() const {
    return fmt::format("satisfaction={:.4f} budget={}", satisfaction_, budget_);
}

void LongTermSatisfaction::draw_user() {
    exposure_ = (user_random_.uniform() - 0.5) * (1.0 / (1.0 - options_.memory_discount));
    budget_ = options_.budget;
    update_satisfaction();
}

void LongTermSatisfaction::draw_documents() {
    for (std::size_t i = 0; i < clickbait_.size(); ++i) {
        clickbait_[i] = document_random_.uniform();
        items_(i, 0) = static_cast<float>(clickbait_[i]);
    }
}

void LongTermSatisfaction::update_satisfaction() {
    satisfaction_ = 1.0 / (1.0 + std::exp(-options_.sensitivity * exposure_));
    user_[0] = options_.observe_satisfaction ? static_cast<float>(satisfaction_) : 0.0F;
    user_[1] = static_cast<float>(budget_) / static_cast<float>(options_.budget);
}

double LongTermSatisfaction::mean_log_engagement(double k) const {
    return (k * choc_mean + (1.0 - k) * kale_mean) * satisfaction_;
}

namespace {

std::unique_ptr<Environment> long_term_satisfaction_environment(const Settings& settings) {
    return std::make_unique<LongTermSatisfaction>(settings.read<LongTermSatisfactionOptions>());
}

}  // namespace

extern const WorldEntry long_term_satisfaction{
    .name = "long_term_satisfaction",
    .summary = "RecSim: clickbait engages now and costs satisfaction later",
    .options = &describe_options<LongTermSatisfactionOptions>,
    .make = &long_term_satisfaction_environment,
};

}  // namespace hg::simulate
