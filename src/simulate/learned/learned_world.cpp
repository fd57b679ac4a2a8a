// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/learned_world.hpp"

#include "simulate/learned/sigmoid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr std::size_t n_looked_at = 100;  // items a dataset's half of the candidates is the best of

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
        .has_purchases = world.shape.has_purchases,
        .user_low = std::ranges::min(model.user_low),
        .user_high = std::ranges::max(model.user_high),
        .item_low = std::min(0.0F, std::ranges::min(model.item_rows.values())),
        .item_high = std::max(1.0F, std::ranges::max(model.item_rows.values())),
        .item_texts = model.texts,
    };
    const double clicks = world.single_click ? 1 : static_cast<double>(facts.slate_size);
    const double low =
        world.reward_click + std::min(0.0, world.reward_purchase) +
        std::min(world.reward_value * world.value_low, world.reward_value * world.value_high);
    const double high =
        world.reward_click + std::max(0.0, world.reward_purchase) +
        std::max(world.reward_value * world.value_low, world.reward_value * world.value_high);
    const double span = clicks * (high - low) + std::abs(high) * clicks;
    facts.reward_low =
        world.reward_base + std::min(0.0, clicks * low) - options.uncertainty_penalty * span;
    facts.reward_high = world.reward_base + std::max(0.0, clicks * high);
    if (!reward.options().is_off()) {
        const auto& o = reward.options();
        const double bits = static_cast<double>(std::ranges::max(model.item_bits));
        const double value = std::log1p(std::max(0.0, world.value_high));
        const double click =
            std::abs(o.event) + std::abs(o.purchase) + std::abs(o.log_value) * value;
        const double most = clicks * click + std::abs(o.preference_gain) * clicks +
                            std::abs(o.survival) + 2 * std::abs(o.diversity) +
                            std::abs(o.novelty) * bits + std::abs(o.constraint);
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

const LearnedReward* find_reward(const WorldModel& model, const std::string& word) {
    if (word == "linear") {
        return nullptr;
    }
    const auto kind = parse_reward_kind(word);
    for (const auto& reward : model.rewards) {
        if (reward.kind == kind) {
            return &reward;
        }
    }
    throw Error{
        ErrorCode::not_found,
        fmt::format("the world has no learned reward \"{}\"", word),
        fmt::format(
            "fit it from a log with rewards: simulate fit --set 'reward_models=[\"{}\"]'", word
        )
    };
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
    learned_ = find_reward(*model_, options_.reward_model);
    reward_state_.resize(learned_ == nullptr ? 0 : learned_->state_size());
    LearnedWorld::reset(0);
}

void LearnedWorld::reset(std::uint64_t seed) {
    random_ = Rng{seed};
    n_steps_ = 0;
    return_hours_.reset();
    counters_.clear();
    std::ranges::fill(reward_state_, 0.0F);
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
