// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/learned_world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr float least_log_sd = -5;  // of a change, as in fitting
constexpr float most_log_sd = 1;
constexpr float still = -3.5F;            // log sd of a change below which nothing is drawn
constexpr std::size_t n_looked_at = 100;  // items a dataset's half of the candidates is the best of

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

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

/// A point of the distribution given by sorted quantiles.
double draw_quantile(std::span<const float> quantiles, double u) {
    const double place = u * static_cast<double>(quantiles.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(place), quantiles.size() - 1);
    const auto high = std::min(low + 1, quantiles.size() - 1);
    const double part = place - static_cast<double>(low);
    return (1 - part) * static_cast<double>(quantiles[low]) +
           part * static_cast<double>(quantiles[high]);
}

/// What the environment promises, from what the data held.
EnvironmentFacts facts_of(
    const WorldModel& model, const LearnedWorldOptions& options, const StepReward& reward
) {
    const auto& world = model.facts;
    const bool of_dataset = world.feedback.is_clicks_only;
    EnvironmentFacts facts{
        .n_candidates =
            static_cast<std::size_t>(of_dataset ? options.n_candidates : world.n_candidates),
        .slate_size =
            of_dataset ? static_cast<std::size_t>(options.slate_size) : world.shape.slate_size,
        .user_size = world.shape.user_size,
        .item_size = world.shape.item_size + (options.show_uncertainty ? 1 : 0),
        .n_items = static_cast<std::size_t>(world.n_items),
        .step_limit = static_cast<std::size_t>(
            options.step_limit > 0 ? options.step_limit : world.step_limit
        ),
        .has_hidden_state = true,
        .user_low = std::ranges::min(model.user_low),
        .user_high = std::ranges::max(model.user_high),
        .item_low = std::min(0.0F, std::ranges::min(model.item_rows.values())),
        .item_high = std::max(1.0F, std::ranges::max(model.item_rows.values())),
    };
    const double clicks = world.single_click ? 1 : static_cast<double>(facts.slate_size);
    const double low =
        world.reward_click +
        std::min(world.reward_value * world.value_low, world.reward_value * world.value_high);
    const double high =
        world.reward_click +
        std::max(world.reward_value * world.value_low, world.reward_value * world.value_high);
    const double span = clicks * (high - low) + std::abs(high) * clicks;
    facts.reward_low =
        world.reward_base + std::min(0.0, clicks * low) - options.uncertainty_penalty * span;
    facts.reward_high = world.reward_base + std::max(0.0, clicks * high);
    if (!reward.options().is_off()) {
        const auto& o = reward.options();
        const double bits = static_cast<double>(std::ranges::max(model.item_bits));
        const double value = std::log1p(std::max(0.0, world.value_high));
        const double most = clicks * (std::abs(o.event) + std::abs(o.log_value) * value) +
                            std::abs(o.preference_gain) * clicks + std::abs(o.survival) +
                            2 * std::abs(o.diversity) + std::abs(o.novelty) * bits +
                            std::abs(o.constraint);
        facts.reward_low = -most - options.uncertainty_penalty * span;
        facts.reward_high = most;
    }
    return facts;
}

void check_options(const WorldModel& model, const EnvironmentFacts& facts) {
    if (facts.slate_size > facts.n_candidates ||
        (model.facts.feedback.is_clicks_only && 2 * facts.n_candidates > model.item_rows.rows())) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} slots of {} candidates of {} items",
                facts.slate_size,
                facts.n_candidates,
                model.item_rows.rows()
            ),
            "set slate_size <= n_candidates <= half of the items"
        };
    }
}

std::vector<std::size_t> members_of(const WorldModel& model, const std::string& family) {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < model.members.size(); ++i) {
        const bool is_sequence = model.members[i].family == Family::sequence;
        if (family == "all" || (family == "sequence") == is_sequence) {
            chosen.push_back(i);
        }
    }
    if (chosen.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("family {}: the world has no such member", family),
            fmt::format("fit it with {}_members = 2", family)
        };
    }
    return chosen;
}

}  // namespace

LearnedWorld::LearnedWorld(
    std::shared_ptr<const WorldModel> model,
    const LearnedWorldOptions& options,
    const RewardOptions& reward
)
    : model_(std::move(model)),
      options_(options),
      reward_(reward),
      facts_(facts_of(*model_, options_, reward_)),
      family_(members_of(*model_, options_.family)),
      user_(facts_.user_size),
      scaled_(facts_.user_size),
      profile_(model_->facts.shape.item_size, model_->facts.decay),
      counters_(model_->facts.shape, model_->facts.mean_steps),
      candidates_(facts_.n_candidates),
      items_(facts_.n_candidates, facts_.item_size),
      item_ids_(facts_.n_candidates),
      responses_(facts_.slate_size),
      token_(model_->facts.shape.token_size()),
      session_(model_->facts.shape.counter_size()),
      change_(model_->facts.shape.change_size()) {
    check_options(*model_, facts_);
    LearnedWorld::reset(0);
}

void LearnedWorld::reset(std::uint64_t seed) {
    random_ = Rng{seed};
    n_steps_ = 0;
    return_hours_.reset();
    counters_.clear();
    const auto& starts = model_->starts;
    start_ = random_.below(starts.users.rows());
    std::ranges::copy(starts.users.row(start_), user_.begin());
    if (model_->facts.feedback.is_clicks_only) {
        profile_.restore(user_);
        consumed_.assign(model_->item_rows.rows(), 0);
        const auto& offsets = starts.history_offsets;
        const bool may_return = model_->facts.feedback.has_repeats;
        for (auto i = offsets[start_]; !may_return && i < offsets[start_ + 1]; ++i) {
            consumed_[starts.history_items[i]] = 1;
        }
    }
    choose_members();
    think();
    offer();
}

/// The truth of this episode, and who else is asked.
void LearnedWorld::choose_members() {
    const bool needs_all =
        options_.member == "mean" || options_.uncertainty_penalty > 0 || options_.show_uncertainty;
    const auto drawn = random_.below(family_.size());
    truth_ = needs_all ? drawn : 0;
    minds_.resize(needs_all ? family_.size() : 1);
    for (std::size_t i = 0; i < minds_.size(); ++i) {
        auto& mind = minds_[i];
        mind.member = needs_all ? family_[i] : family_[drawn];
        const auto& states = model_->start_states[mind.member];
        mind.state.clear();
        if (!states.empty()) {
            const auto state = states.row(start_);
            mind.state.assign(state.begin(), state.end());
        }
        mind.vector.resize(model_->facts.shape.tower_size());
    }
}

bool LearnedWorld::is_answering(std::size_t mind) const noexcept {
    return options_.member == "mean" || mind == truth_;
}

float LearnedWorld::answer_share() const noexcept {
    return options_.member == "mean" ? 1.0F / static_cast<float>(minds_.size()) : 1.0F;
}

/// What a member knows of the user at this moment.
void LearnedWorld::set_input(const Mind& mind) {
    input_.assign(scaled_.begin(), scaled_.end());
    input_.insert(input_.end(), session_.begin(), session_.end());
    input_.insert(input_.end(), mind.state.begin(), mind.state.end());
}

/// The user's vector in the eyes of each member.
void LearnedWorld::think() {
    model_->users.apply(user_, scaled_);
    counters_.write(session_);
    for (auto& mind : minds_) {
        set_input(mind);
        model_->members[mind.member].user.apply(input_, mind.vector, work_);
    }
}

void LearnedWorld::offer() {
    if (model_->facts.feedback.is_clicks_only) {
        draw_from_catalogue();
    } else {
        draw_candidates();
    }
    show_candidates();
}

void LearnedWorld::draw_candidates() {
    const auto& sets = model_->candidate_sets;
    set_ = n_steps_ == 0 ? model_->starts.candidate_set[start_] : random_.below(sets.rows());
    std::ranges::copy(sets.row(set_), candidates_.begin());
}

std::uint32_t LearnedWorld::draw_item() {
    const auto& sums = model_->sampling_sums;
    const double at = random_.uniform() * sums.back();
    const auto found = std::ranges::upper_bound(sums, at) - sums.begin();
    return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(found, std::ssize(sums) - 1));
}

/// Half of the candidates: of some items, those most like the user's recent ones. The others: any.
void LearnedWorld::draw_from_catalogue() {
    const auto& rows = model_->scaled_items;
    const bool repeats = model_->facts.feedback.has_session_repeats;
    const auto n = candidates_.size();
    const auto wanted = std::max(n_looked_at, n);
    std::vector<std::pair<float, std::uint32_t>> drawn;
    std::vector<std::uint8_t> taken(rows.rows(), 0);
    for (std::size_t tries = 0; drawn.size() < wanted && tries < 20 * wanted; ++tries) {
        const auto item = draw_item();
        if (taken[item] != 0 || (!repeats && consumed_[item] != 0)) {
            continue;
        }
        taken[item] = 1;
        float likeness = 0;
        for (std::size_t j = 0; j < rows.cols(); ++j) {
            likeness += rows(item, j) * scaled_[j];
        }
        drawn.emplace_back(likeness, item);
    }
    for (std::uint32_t item = 0; drawn.size() < n && item < rows.rows(); ++item) {
        if (taken[item] == 0) {  // nearly all is consumed: let old items come again
            drawn.emplace_back(0.0F, item);
        }
    }
    const auto half = static_cast<std::ptrdiff_t>(n / 2);
    std::ranges::partial_sort(drawn, drawn.begin() + half, std::greater<>{});
    random_.shuffle(std::span{drawn}.subspan(n / 2));
    for (std::size_t i = 0; i < n; ++i) {
        candidates_[i] = drawn[i].second;
    }
    random_.shuffle(std::span{candidates_});
}

void LearnedWorld::show_candidates() {
    const auto n = model_->facts.shape.item_size;
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
        std::ranges::copy(model_->item_rows.row(candidates_[c]), items_.row(c).begin());
        item_ids_[c] = model_->item_ids[candidates_[c]];
    }
    if (!options_.show_uncertainty) {
        return;
    }
    std::vector<double> beliefs(minds_.size());
    for (std::size_t c = 0; c < candidates_.size(); ++c) {
        for (std::size_t i = 0; i < minds_.size(); ++i) {
            const auto& mind = minds_[i];
            beliefs[i] = sigmoid(static_cast<double>(click_logit(
                model_->members[mind.member],
                model_->facts.shape,
                mind.vector,
                model_->item_vectors[mind.member].row(candidates_[c]),
                0
            )));
        }
        items_(c, n) = static_cast<float>(deviation(beliefs));
    }
}

Observation LearnedWorld::observe() const {
    return {.user = user_, .items = items_.view(), .item_ids = item_ids_};
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
        .click = std::vector<double>(slate.size()), .value = std::vector<double>(slate.size())
    };
    std::vector<double> rewards;
    std::vector<double> clicks(slate.size());
    const double share = options_.member == "mean" ? 1 / static_cast<double>(minds_.size()) : 1;
    for (std::size_t i = 0; i < minds_.size(); ++i) {
        click_probabilities(minds_[i], slate, clicks);
        double reward = world.reward_base;
        for (std::size_t k = 0; k < slate.size(); ++k) {
            const double value = mean_value(minds_[i], candidates_[slate[k]]);
            reward += clicks[k] * (world.reward_click + world.reward_value * value);
            if (is_answering(i)) {
                forecast.click[k] += share * clicks[k];
                forecast.value[k] += share * value;
            }
        }
        forecast.reward += is_answering(i) ? share * reward : 0;
        rewards.push_back(reward);
    }
    forecast.disagreement = deviation(rewards);
    return forecast;
}

std::optional<double> LearnedWorld::expected_reward(std::span<const std::uint32_t> slate) const {
    if (!reward_.options().is_off()) {
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

double LearnedWorld::reward_of(std::span<const std::uint32_t> slate, double before, bool ended) {
    const auto& world = model_->facts;
    if (reward_.options().is_off()) {
        double reward = world.reward_base;
        for (const auto& response : responses_) {
            reward +=
                response.clicked
                    ? world.reward_click + world.reward_value * static_cast<double>(response.value)
                    : 0;
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
    const bool ended = draw_leaving(slate);
    draw_values(expected, ended);
    remember(slate);
    move_user(std::ranges::any_of(responses_, &Response::clicked));
    think();
    const double reward =
        reward_of(slate, liked, ended) - options_.uncertainty_penalty * expected.disagreement;
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

std::unique_ptr<Environment> LearnedWorld::clone() const {
    return std::make_unique<LearnedWorld>(*this);
}

std::string LearnedWorld::describe_state() const {
    auto text = fmt::format("start={} member={} steps={}", start_, minds_[truth_].member, n_steps_);
    if (return_hours_) {
        text += fmt::format(" back_in_hours={:.2f}", *return_hours_);
    }
    return text;
}

}  // namespace hg::simulate
