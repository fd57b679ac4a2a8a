// SPDX-License-Identifier: Apache-2.0
#include "simulate/worlds/interest_evolution.hpp"

#include "simulate/recsim_streams.hpp"
#include "simulate/slates.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

// The constants of RecSim's create_environment(); reference in the header.
constexpr double start_budget = 200;
constexpr double step_penalty = 0.5;
constexpr double minutes = 4;              // length of every document
constexpr double budget_gain = 0.9 / 3.4;  // alpha_b: minutes given back per minute and quality
constexpr double quality_sd = 0.1;
constexpr double no_click_weight = 2;
constexpr std::size_t n_poor_topics = 14;  // qualities -3 .. 0, the others 0 .. 3

/// numpy.linspace(-3, 0, 14) then linspace(0, 3, 6).
double ladder_quality(std::size_t topic) {
    if (topic < n_poor_topics) {
        const double step = 3.0 / (n_poor_topics - 1);
        return topic + 1 == n_poor_topics ? 0.0 : -3.0 + static_cast<double>(topic) * step;
    }
    const auto rung = topic - n_poor_topics;
    const double step = 3.0 / (InterestEvolution::n_topics - n_poor_topics - 1);
    return static_cast<double>(rung) * step;
}

}  // namespace

InterestEvolution::InterestEvolution(const InterestEvolutionOptions& options)
    : options_(options),
      documents_(static_cast<std::size_t>(options.n_candidates)),
      choice_(static_cast<std::size_t>(options.slate_size) + 1),
      responses_(static_cast<std::size_t>(options.slate_size)),
      items_(documents_.size(), n_topics),
      item_ids_(documents_.size()) {
    check_slate_size(options.slate_size, options.n_candidates);
    const bool shows_feedback = options.observe == "feedback";
    user_.resize(shows_feedback ? 3 * n_topics : n_topics);
    facts_ = {
        .n_candidates = documents_.size(),
        .slate_size = responses_.size(),
        .user_size = user_.size(),
        .item_size = n_topics,
        .step_limit = static_cast<std::size_t>(options.step_limit),
        .user_low = shows_feedback ? -4.0F : -1.0F,
        .user_high = shows_feedback ? 8.0F : 1.0F,
        .reward_low = 0,
        .reward_high = minutes,
    };
    for (std::size_t topic = 0; topic < n_topics; ++topic) {
        mean_quality_.at(topic) = ladder_quality(topic);
    }
    seed_streams(0, 0, 0);
    begin_episode();
}

void InterestEvolution::seed_streams(
    std::uint32_t users, std::uint32_t documents, std::uint32_t clicks
) {
    user_random_.reseed(users);
    document_random_.reseed(documents);
    click_random_.reseed(clicks);
    draw_user();
    draw_documents();
}

void InterestEvolution::begin_episode() {
    draw_user();
    deal_qualities();
    if (options_.resample_documents || options_.qualities == "per_episode") {
        draw_documents();
    }
    n_steps_ = 0;
    std::ranges::fill(user_, 0.0F);
    show_interests();
}

void InterestEvolution::reset(std::uint64_t seed) {
    reset_streams(*this, seed);
}

Observation InterestEvolution::observe() const {
    return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
}

Transition InterestEvolution::step(std::span<const std::uint32_t> slate) {
    check_slate(facts_, slate);
    std::ranges::fill(responses_, Response{});
    double total = no_click_weight;
    for (std::size_t slot = 0; slot < slate.size(); ++slot) {
        choice_[slot] = interests_.at(documents_[slate[slot]].topic) + 1.0;
        total += choice_[slot];
    }
    choice_.back() = no_click_weight;
    for (double& weight : choice_) {
        weight /= total;
    }
    const auto chosen = click_random_.choice(choice_);
    double reward = 0;
    if (chosen < slate.size()) {
        reward = std::min(budget_, minutes);
        click(chosen, documents_[slate[chosen]]);
    } else {
        budget_ -= step_penalty;
    }
    if (options_.resample_documents) {
        draw_documents();
    }
    ++n_steps_;
    const bool ended = budget_ <= 0;
    return {
        .responses = responses_,
        .reward = reward,
        .ended = ended,
        .truncated = !ended && n_steps_ == facts_.step_limit,
    };
}

std::unique_ptr<Environment> InterestEvolution::clone() const {
    return std::make_unique<InterestEvolution>(*this);
}

std::string InterestEvolution::describe_state() const {
    std::string topics;
    for (const auto& document : documents_) {
        topics += fmt::format("{}{}", topics.empty() ? "" : ",", document.topic);
    }
    return fmt::format("budget={:.3f} topics={}", budget_, topics);
}

void InterestEvolution::draw_user() {
    for (double& interest : interests_) {
        interest = user_random_.uniform(-1.0, 1.0);
    }
    budget_ = start_budget;
}

void InterestEvolution::draw_documents() {
    for (std::size_t i = 0; i < documents_.size(); ++i) {
        auto& document = documents_[i];
        items_(i, document.topic) = 0;
        document.topic = document_random_.below(n_topics);
        document.quality = document_random_.normal(mean_quality_.at(document.topic), quality_sd);
        items_(i, document.topic) = 1;
        item_ids_[i] = document.topic;
    }
}

void InterestEvolution::deal_qualities() {
    if (options_.qualities != "per_episode") {
        return;
    }
    for (std::size_t i = n_topics; i > 1; --i) {
        const auto j = user_random_.below(static_cast<std::uint32_t>(i));
        std::swap(mean_quality_.at(i - 1), mean_quality_.at(j));
    }
}

void InterestEvolution::click(std::size_t slot, const Document& document) {
    const double watched = std::min(budget_, minutes);
    responses_[slot] = {
        .clicked = true,
        .value = static_cast<float>(watched),
        .rating = static_cast<float>(document.quality),
    };
    drift(document);
    budget_ -= watched;
    budget_ += budget_gain * watched * document.quality;
    if (options_.observe == "feedback") {
        auto& mean = user_[n_topics + document.topic];
        auto& count = user_[2 * n_topics + document.topic];  // log(1 + clicks)
        const double n = std::round(std::expm1(static_cast<double>(count))) + 1;
        mean += static_cast<float>((document.quality - mean) / n);
        count = static_cast<float>(std::log1p(n));
    }
}

void InterestEvolution::drift(const Document& document) {
    double& interest = interests_.at(document.topic);
    const double alpha = -0.3 * std::abs(interest) + 0.3;
    const double change = alpha * (1.0 - interest);
    const bool warmer = click_random_.uniform() < (interest + 1.0) / 2;
    interest = std::clamp(warmer ? interest + change : interest - change, -1.0, 1.0);
    show_interests();
}

void InterestEvolution::show_interests() {
    std::ranges::transform(interests_, user_.begin(), [](double x) {
        return static_cast<float>(x);
    });
}

namespace {

std::unique_ptr<Environment> interest_evolution_environment(const Settings& settings) {
    return std::make_unique<InterestEvolution>(settings.read<InterestEvolutionOptions>());
}

}  // namespace

extern const WorldEntry interest_evolution{
    .name = "interest_evolution",
    .summary = "RecSim: interests drift, quality prolongs the visit, topics are all one sees",
    .options = &describe_options<InterestEvolutionOptions>,
    .make = &interest_evolution_environment,
};

}  // namespace hg::simulate
