// SPDX-License-Identifier: Apache-2.0
// What one step of a learned world does: forecast, answer, leave, remember, move, reward.
#include "simulate/learned/learned_world.hpp"
#include "simulate/learned/sigmoid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr float least_log_sd = -5;  // of a change, as in fitting
constexpr float most_log_sd = 1;
constexpr float still = -3.5F;  // log sd of a change below which nothing is drawn

/// A point of the distribution given by sorted quantiles.
double draw_quantile(std::span<const float> quantiles, double u) {
    const double place = u * static_cast<double>(quantiles.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(place), quantiles.size() - 1);
    const auto high = std::min(low + 1, quantiles.size() - 1);
    const double part = place - static_cast<double>(low);
    return (1 - part) * static_cast<double>(quantiles[low]) +
           part * static_cast<double>(quantiles[high]);
}

}  // namespace

double deviation(std::span<const double> values) {
    if (values.size() < 2) {
        return 0;
    }
    const auto n = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double v : values) {
        squares += (v - mean) * (v - mean);
    }
    return std::sqrt(squares / n);
}

void LearnedWorld::click_probabilities(
    const Mind& mind, std::span<const std::uint32_t> slate, std::span<double> out
) const {
    const auto& member = model_->members[mind.member];
    double most = 0;
    for (std::size_t k = 0; k < slate.size(); ++k) {
        const auto& vectors = model_->item_vectors[mind.member];
        const auto position = std::min(k, member.position.size() - 1);
        out[k] = static_cast<double>(click_logit(
            member, model_->facts.shape, mind.vector, vectors.row(candidates_[slate[k]]), position
        ));
        most = std::max(most, out[k]);
    }
    if (!model_->facts.single_click) {
        std::ranges::transform(out, out.begin(), sigmoid);
        return;
    }
    double total = std::exp(-most);  // of choosing nothing
    for (double& p : out) {
        p = std::exp(p - most);
        total += p;
    }
    for (double& p : out) {
        p /= total;
    }
}

double LearnedWorld::purchase_chance(const Mind& mind, std::uint32_t row) const {
    const auto& shape = model_->facts.shape;
    if (!shape.has_purchases) {
        return 0;
    }
    const auto item = model_->item_vectors[mind.member].row(row);
    return sigmoid(static_cast<double>(purchase_logit(shape, mind.vector, item)));
}

double LearnedWorld::mean_value(const Mind& mind, std::uint32_t row) const {
    const auto& world = model_->facts;
    if (world.value_sd <= 0) {
        return world.has_values ? world.value_mean : 1;
    }
    const auto scaled = static_cast<double>(
        scaled_value(world.shape, mind.vector, model_->item_vectors[mind.member].row(row))
    );
    return std::clamp(
        world.value_mean + world.value_sd * scaled, world.value_low, world.value_high
    );
}

SlateForecast LearnedWorld::forecast(std::span<const std::uint32_t> slate) const {
    const auto& world = model_->facts;
    SlateForecast forecast{
        .click = std::vector<double>(slate.size()),
        .purchase = std::vector<double>(slate.size()),
        .value = std::vector<double>(slate.size()),
    };
    std::vector<double> purchased(slate.size());  // P(click and purchase)
    std::vector<double> rewards;
    std::vector<double> clicks(slate.size());
    const double share = options_.member == "mean" ? 1 / static_cast<double>(minds_.size()) : 1;
    for (std::size_t i = 0; i < minds_.size(); ++i) {
        click_probabilities(minds_[i], slate, clicks);
        double reward = world.reward_base;
        for (std::size_t k = 0; k < slate.size(); ++k) {
            const double value = mean_value(minds_[i], candidates_[slate[k]]);
            const double purchase = purchase_chance(minds_[i], candidates_[slate[k]]);
            reward += clicks[k] * (world.reward_click + world.reward_value * value +
                                   world.reward_purchase * purchase);
            if (is_answering(i)) {
                forecast.click[k] += share * clicks[k];
                purchased[k] += share * clicks[k] * purchase;
                forecast.value[k] += share * value;
            }
        }
        forecast.reward += is_answering(i) ? share * reward : 0;
        rewards.push_back(reward);
    }
    for (std::size_t k = 0; k < slate.size(); ++k) {
        forecast.purchase[k] = forecast.click[k] > 0 ? purchased[k] / forecast.click[k] : 0;
    }
    forecast.disagreement = deviation(rewards);
    return forecast;
}

std::optional<double> LearnedWorld::expected_reward(std::span<const std::uint32_t> slate) const {
    if (!reward_.options().is_off() || learned_ != nullptr) {
        return std::nullopt;
    }
    const auto expected = forecast(slate);
    return expected.reward - options_.uncertainty_penalty * expected.disagreement;
}

std::span<const std::uint32_t> LearnedWorld::logged_slate() const {
    return model_->logged_slates.empty() ? std::span<const std::uint32_t>{}
                                         : model_->logged_slates.row(set_);
}

void LearnedWorld::draw_clicks(const SlateForecast& forecast) {
    std::ranges::fill(responses_, Response{});
    double left = random_.uniform();  // of one choice among the slots
    for (std::size_t k = 0; k < responses_.size(); ++k) {
        if (model_->facts.single_click) {
            responses_[k].clicked = left >= 0 && left < forecast.click[k];
            left -= forecast.click[k];
        } else {
            responses_[k].clicked = random_.uniform() < forecast.click[k];
        }
    }
}

void LearnedWorld::draw_purchases(const SlateForecast& forecast) {
    for (std::size_t k = 0; model_->facts.shape.has_purchases && k < responses_.size(); ++k) {
        responses_[k].purchased = responses_[k].clicked && random_.uniform() < forecast.purchase[k];
    }
}

void LearnedWorld::write_shown(std::span<const std::uint32_t> slate) {
    const auto& world = model_->facts;
    shown_.clear();
    for (std::size_t k = 0; k < slate.size(); ++k) {
        const auto& response = responses_[k];
        const double value =
            response.clicked && world.value_sd > 0
                ? (static_cast<double>(response.value) - world.value_mean) / world.value_sd
                : 0;
        if (response.clicked || !world.feedback.is_clicks_only) {
            shown_.push_back({
                .features = model_->scaled_items.row(candidates_[slate[k]]),
                .clicked = response.clicked,
                .purchased = response.purchased,
                .value = static_cast<float>(value),
            });
        }
    }
    write_token(world.shape, shown_, token_);
}

bool LearnedWorld::draw_leaving(std::span<const std::uint32_t> slate) {
    if (!model_->facts.feedback.has_sessions) {
        return false;
    }
    write_shown(slate);
    forget_values(model_->facts.shape, token_);
    double leave = 0;
    std::array<float, 1> logit{};
    for (std::size_t i = 0; i < minds_.size(); ++i) {
        if (is_answering(i)) {
            set_input(minds_[i]);
            input_.insert(input_.end(), token_.begin(), token_.end());
            model_->members[minds_[i].member].leave.apply(input_, logit);
            leave += static_cast<double>(answer_share()) * sigmoid(static_cast<double>(logit[0]));
        }
    }
    return random_.uniform() < leave;
}

void LearnedWorld::draw_values(const SlateForecast& forecast, bool leaves) {
    const auto& world = model_->facts;
    const auto& member = model_->members[minds_[truth_].member];
    const auto& residuals = leaves ? member.residuals_leaving : member.residuals_staying;
    for (std::size_t k = 0; k < responses_.size(); ++k) {
        if (!responses_[k].clicked) {
            continue;
        }
        double value = forecast.value[k];
        if (world.value_sd > 0) {
            value += world.value_sd * draw_quantile(residuals, random_.uniform());
            value = std::clamp(value, world.value_low, world.value_high);
            value = world.has_whole_values ? std::round(value) : value;
        }
        responses_[k].value = static_cast<float>(value);
    }
}

/// What happened into counters, GRUs and, for a dataset, the profile and what is consumed.
void LearnedWorld::remember(std::span<const std::uint32_t> slate) {
    const auto& world = model_->facts;
    write_shown(slate);
    std::ranges::fill(change_, 0.0F);
    std::vector<float> moved(world.shape.change_size());
    for (std::size_t i = 0; i < minds_.size(); ++i) {
        auto& mind = minds_[i];
        const auto& member = model_->members[mind.member];
        if (is_answering(i) && world.shape.has_dynamics) {
            input_.assign(scaled_.begin(), scaled_.end());
            input_.insert(input_.end(), token_.begin(), token_.end());
            for (std::size_t j = 0; j < world.shape.product_size(); ++j) {
                input_.push_back(scaled_[j] * token_[j]);
            }
            member.change.apply(input_, moved, work_);
            for (std::size_t j = 0; j < moved.size(); ++j) {
                change_[j] += answer_share() * moved[j];
            }
        }
        if (!mind.state.empty() && !shown_.empty()) {
            member.gru.step(token_, mind.state, work_);
        }
    }
    counters_.add(token_);
    if (!world.feedback.is_clicks_only) {
        return;
    }
    const auto centre = static_cast<float>(world.feedback.value_centre);
    for (std::size_t k = 0; k < slate.size(); ++k) {
        if (responses_[k].clicked) {
            const auto row = candidates_[slate[k]];
            const float value = world.has_values ? responses_[k].value - centre : unknown_value;
            profile_.add(model_->item_rows.row(row), value);
            consumed_[row] = 1;
        }
    }
}

void LearnedWorld::move_user(bool clicked) {
    const auto& world = model_->facts;
    const auto n = user_.size();
    if (world.feedback.is_clicks_only) {
        profile_.write(user_);
    } else if (world.feedback.has_dynamics && (clicked || !world.moves_only_by_clicks)) {
        for (std::size_t j = 0; j < n; ++j) {
            const float log_sd = std::clamp(change_[n + j], least_log_sd, most_log_sd);
            const float noise =
                log_sd > still ? std::exp(log_sd) * static_cast<float>(random_.normal()) : 0.0F;
            if (model_->users.inverse_sd[j] > 0) {
                user_[j] += (change_[j] + noise) / model_->users.inverse_sd[j];
            }
        }
    }
    for (std::size_t j = 0; j < n; ++j) {
        user_[j] = std::clamp(user_[j], model_->user_low[j], model_->user_high[j]);
    }
}

/// Of the user before the step and the token of it.
double LearnedWorld::learned_reward() {
    if (learned_ == nullptr) {
        return 0;
    }
    input_.assign(scaled_.begin(), scaled_.end());
    input_.insert(input_.end(), token_.begin(), token_.end());
    return std::clamp(learned_->step(input_, reward_state_), facts_.reward_low, facts_.reward_high);
}

double LearnedWorld::reward_of(std::span<const std::uint32_t> slate, double before, bool ended) {
    const auto& world = model_->facts;
    if (reward_.options().is_off()) {
        double reward = world.reward_base;
        for (const auto& response : responses_) {
            reward +=
                response.clicked
                    ? world.reward_click + world.reward_value * static_cast<double>(response.value)
                    : 0;
            reward += response.purchased ? world.reward_purchase : 0;
        }
        return reward;
    }
    Matrix<float> items(slate.size(), world.shape.item_size);
    std::vector<float> bits;
    std::vector<std::uint8_t> is_tail;
    for (std::size_t k = 0; k < slate.size(); ++k) {
        const auto row = candidates_[slate[k]];
        std::ranges::copy(model_->item_rows.row(row), items.row(k).begin());
        bits.push_back(model_->item_bits[row]);
        is_tail.push_back(model_->is_tail[row]);
    }
    const auto after = forecast(slate).click;
    return reward_({
        .responses = responses_,
        .preference_before = before,
        .preference_after = std::accumulate(after.begin(), after.end(), 0.0),
        .ended = ended,
        .items = items.view(),
        .self_information = bits,
        .is_protected = is_tail,
    });
}

void LearnedWorld::draw_return() {
    const auto& returns = model_->returns;
    if (returns.weights.empty()) {
        return;
    }
    auto log_hours = static_cast<double>(returns.weights.back());
    for (std::size_t j = 0; j < scaled_.size(); ++j) {
        log_hours += static_cast<double>(returns.weights[j] * scaled_[j]);
    }
    return_hours_ = std::exp(log_hours + draw_quantile(returns.residuals, random_.uniform()));
}

Transition LearnedWorld::step(std::span<const std::uint32_t> slate) {
    check_slate(facts_, slate);
    const auto expected = forecast(slate);
    const double liked = std::accumulate(expected.click.begin(), expected.click.end(), 0.0);
    draw_clicks(expected);
    draw_purchases(expected);
    const bool ended = draw_leaving(slate);
    draw_values(expected, ended);
    remember(slate);
    const double learned = learned_reward();
    move_user(std::ranges::any_of(responses_, &Response::clicked));
    think();
    const bool is_learned = learned_ != nullptr && reward_.options().is_off();
    const double reward = (is_learned ? learned : reward_of(slate, liked, ended)) -
                          options_.uncertainty_penalty * expected.disagreement;
    ++n_steps_;
    if (ended) {
        draw_return();
    }
    offer();
    return {
        .responses = responses_,
        .reward = reward,
        .ended = ended,
        .truncated = !ended && n_steps_ == facts_.step_limit,
    };
}

}  // namespace hg::simulate
