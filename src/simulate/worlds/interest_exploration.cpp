// SPDX-License-Identifier: Apache-2.0
#include "simulate/worlds/interest_exploration.hpp"

#include "simulate/recsim_streams.hpp"
#include "simulate/slates.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr std::array<double, 2> user_type_share{.3, .7};
constexpr std::array<std::array<double, 2>, 2> mean_log_affinity{{{.1, .7}, {.7, .1}}};
constexpr std::array<double, 2> topic_share{.2, .8};
constexpr std::array<double, 2> mean_log_quality{.8, .2};
constexpr double log_sd = .1;
constexpr double no_click_logit = 5;

}  // namespace

InterestExploration::InterestExploration(const InterestExplorationOptions& options)
    : documents_(static_cast<std::size_t>(options.n_candidates)),
      choice_(static_cast<std::size_t>(options.slate_size) + 1),
      responses_(static_cast<std::size_t>(options.slate_size)),
      items_(documents_.size(), n_topics + 1),
      item_ids_(documents_.size()) {
    check_slate_size(options.slate_size, options.n_candidates);
    facts_ = {
        .n_candidates = documents_.size(),
        .slate_size = responses_.size(),
        .user_size = user_.size(),
        .item_size = n_topics + 1,
        .step_limit = static_cast<std::size_t>(options.step_limit),
        .user_low = 0,
        .user_high = 25,
        .item_low = 0,
        .item_high = 10,
        .reward_low = 0,
        .reward_high = 1,
    };
    seed_streams(0, 0, 0);
    begin_episode();
}

void InterestExploration::seed_streams(
    std::uint32_t users, std::uint32_t documents, std::uint32_t clicks
) {
    user_random_.reseed(users);
    document_random_.reseed(documents);
    click_random_.reseed(clicks);
    draw_user();
    draw_documents();
}

void InterestExploration::begin_episode() {
    draw_user();
    draw_documents();
    n_steps_ = 0;
    user_.fill(0);
    counts_.fill(0);
}

void InterestExploration::reset(std::uint64_t seed) {
    reset_streams(*this, seed);
}

Observation InterestExploration::observe() const {
    return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
}

Transition InterestExploration::step(std::span<const std::uint32_t> slate) {
    check_slate(facts_, slate);
    std::ranges::fill(responses_, Response{});
    choice_of(slate, choice_);
    const auto chosen = click_random_.choice(choice_);
    for (std::size_t slot = 0; slot < slate.size(); ++slot) {
        const auto& document = documents_[slate[slot]];
        responses_[slot] = {
            .clicked = slot == chosen,
            .value = slot == chosen ? 1.0F : 0.0F,
            .rating = static_cast<float>(document.quality),
        };
        counts_.at(document.topic) += 1;
        counts_.at(n_topics + document.topic) += slot == chosen ? 1 : 0;
    }
    std::ranges::transform(counts_, user_.begin(), [](double n) {
        return static_cast<float>(std::log1p(n));
    });
    draw_documents();
    ++n_steps_;
    return {
        .responses = responses_,
        .reward = chosen < slate.size() ? 1.0 : 0.0,
        .truncated = n_steps_ == facts_.step_limit,
    };
}

std::unique_ptr<Environment> InterestExploration::clone() const {
    return std::make_unique<InterestExploration>(*this);
}

std::optional<double> InterestExploration::expected_reward(std::span<const std::uint32_t> slate
) const {
    std::vector<double> shares(slate.size() + 1);
    choice_of(slate, shares);
    return 1 - shares.back();
}

std::string InterestExploration::describe_state() const {
    std::string topics;
    for (const auto& document : documents_) {
        topics += fmt::format("{}", document.topic);
    }
    return fmt::format("affinity={:.3f},{:.3f} topics={}", affinity_[0], affinity_[1], topics);
}

void InterestExploration::draw_user() {
    const auto type = user_random_.choice(user_type_share);
    for (std::size_t topic = 0; topic < n_topics; ++topic) {
        affinity_.at(topic) =
            std::exp(user_random_.normal(mean_log_affinity.at(type).at(topic), log_sd));
    }
}

void InterestExploration::draw_documents() {
    for (std::size_t i = 0; i < documents_.size(); ++i) {
        auto& document = documents_[i];
        document.topic = static_cast<std::uint32_t>(document_random_.choice(topic_share));
        document.quality =
            std::exp(document_random_.normal(mean_log_quality.at(document.topic), log_sd));
        items_(i, 0) = document.topic == 0 ? 1.0F : 0.0F;
        items_(i, 1) = document.topic == 1 ? 1.0F : 0.0F;
        items_(i, 2) = static_cast<float>(document.quality);
        item_ids_[i] = document.topic;
    }
}

void InterestExploration::choice_of(std::span<const std::uint32_t> slate, std::span<double> out)
    const {
    double highest = no_click_logit;
    for (std::size_t slot = 0; slot < slate.size(); ++slot) {
        const auto& document = documents_[slate[slot]];
        out[slot] = affinity_.at(document.topic) + document.quality;
        highest = std::max(highest, out[slot]);
    }
    out.back() = no_click_logit;
    double total = 0;
    for (double& logit : out) {
        logit = std::exp(logit - highest);
        total += logit;
    }
    for (double& weight : out) {
        weight /= total;
    }
}

namespace {

std::unique_ptr<Environment> interest_exploration_environment(const Settings& settings) {
    return std::make_unique<InterestExploration>(settings.read<InterestExplorationOptions>());
}

}  // namespace

extern const WorldEntry interest_exploration{
    .name = "interest_exploration",
    .summary = "RecSim: two user types, of which one must be found by exploring",
    .options = &describe_options<InterestExplorationOptions>,
    .make = &interest_exploration_environment,
};

}  // namespace hg::simulate
