// SPDX-License-Identifier: Apache-2.0
#include "serve/served_world.hpp"

#include "core/rng.hpp"
#include "policy/belief_summary.hpp"
#include "policy/served_items.hpp"
#include "serve/item_table.hpp"
#include "serve/scoring.hpp"
#include "serve/signals.hpp"
#include "serve/snapshot.hpp"
#include "serve/user_belief.hpp"
#include "simulate/step_reward.hpp"
#include "train/truncated_svd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace hg::serve {
namespace {

constexpr float widest = 10;  // of a standardised number

/// What the clones of a world share.
struct Served {
    explicit Served(std::shared_ptr<const data::Dataset> of) : items(std::move(of)) {}

    ItemTable items;
    std::shared_ptr<const Snapshot> snapshot;
    std::vector<std::uint32_t> users;           // as the dataset numbers them
    std::vector<std::vector<ItemRow>> liked{};  // of each of them, ascending
};

/// Users with enough liked items that the run can show, of the wanted part.
void take_users(Served& served, const ServedWorldOptions& options) {
    Rng rng = Rng{static_cast<std::uint64_t>(options.split_seed)}.split("served users");
    const auto all = train::liked_items(served.items.dataset().log);
    for (std::uint32_t user = 0; user < all.size(); ++user) {
        const bool is_judged = rng.uniform() < options.judged_share;
        std::vector<ItemRow> own;
        for (const auto item : all[user]) {  // a row of the table is the dataset's number
            if (served.snapshot->model_row(item) != Snapshot::not_in_model) {
                own.push_back(item);
            }
        }
        if (is_judged == (options.users == "judge") &&
            std::cmp_greater_equal(own.size(), options.min_liked)) {
            std::ranges::sort(own);
            served.users.push_back(user);
            served.liked.push_back(std::move(own));
        }
    }
    if (served.users.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: no user liked {} items of run {}",
                options.data,
                options.min_liked,
                served.snapshot->run.name
            ),
            "lower world.min_liked, or give the dataset of the run's items"
        };
    }
}

class ServedWorld final : public simulate::Environment {
  public:
    ServedWorld(std::shared_ptr<const Served> served, const ServedWorldOptions& options)
        : served_(std::move(served)),
          has_skip_events_(options.skips == "events"),
          context_(options.context),
          is_drawn_(options.ranking == "draw"),
          worth_of_diversity_(options.diversity),
          responses_(static_cast<std::size_t>(options.slate_size)) {
        const auto n_items = served_->snapshot->run.items.size();
        const auto& vectors = served_->snapshot->run.model->belief_prior()->parts().item_vectors;
        n_shown_ = static_cast<std::size_t>(options.slate_size * options.step_limit);
        if (n_items < n_shown_ + static_cast<std::size_t>(options.slate_size)) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{} items are too few for {} slots", n_items, n_shown_),
                "lower world.step_limit or world.slate_size"
            };
        }
        facts_ = {
            .n_candidates =
                std::min(static_cast<std::size_t>(options.candidates), n_items - n_shown_),
            .slate_size = static_cast<std::size_t>(options.slate_size),
            .user_size = policy::BeliefSummary::names.size(),
            .item_size = policy::plain_item_size + (options.slate_size > 1 ? vectors.cols() : 0),
            .n_items = served_->items.read().size(),
            .step_limit = static_cast<std::size_t>(options.step_limit),
            .user_low = -widest,
            .user_high = widest,
            .item_low = -widest,
            .item_high = widest,
            .reward_high = static_cast<double>(options.slate_size) + 2 * options.diversity,
        };
        items_ = Matrix<float>(facts_.n_candidates, facts_.item_size);
        item_ids_.resize(facts_.n_candidates);
        reset(0);
    }

    const simulate::EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override {
        Rng rng{seed};
        user_number_ = rng.below(served_->users.size());
        other_ = rng.below(served_->users.size());
        draws_ = rng.split("draws");
        n_steps_ = 0;
        events_.clear();
        shown_.clear();
        belief_ = make_belief(*served_->snapshot, {.events = events_}, {});
        rescore();
        offer();
    }

    simulate::Observation observe() const override {
        return {.user = summary_.values, .items = items_.view(), .item_ids = item_ids_};
    }

    simulate::Transition step(std::span<const std::uint32_t> slate) override {
        simulate::check_slate(facts_, slate);
        double reward = of_being_diverse(slate);
        bool is_changed = false;
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            const auto row = item_ids_[slate[slot]];
            const bool clicked = is_liked(row);
            responses_[slot] = {.clicked = clicked, .value = clicked ? 1.0F : 0.0F};
            reward += clicked ? 1 : 0;
            shown_.insert(row);
            if (context_ != "none" && (clicked || has_skip_events_)) {
                learn_of({.row = clicked ? clicked_row(row) : row, .weight = clicked ? 1.0F : 0.0F}
                );
                is_changed = true;
            }
        }
        ++n_steps_;
        const bool is_over = n_steps_ == facts_.step_limit;
        if (!is_over) {
            if (is_changed || is_drawn_) {
                rescore();
            }
            offer();
        }
        return {.responses = responses_, .reward = reward, .truncated = is_over};
    }

    std::unique_ptr<simulate::Environment> clone() const override {
        return std::make_unique<ServedWorld>(*this);
    }

    std::optional<double> expected_reward(std::span<const std::uint32_t> slate) const override {
        double reward = of_being_diverse(slate);
        for (const auto place : slate) {
            reward += is_liked(item_ids_[place]) ? 1 : 0;
        }
        return reward;
    }

    std::string describe_state() const override {
        return fmt::format(
            "user={} events={} experience={:.3f} uncertainty={:.3f} distance={:.3f}",
            served_->users[user_number_],
            events_.size(),
            summary_.values[0],
            summary_.values[2],
            summary_.values[3]
        );
    }

  private:
    [[nodiscard]] bool is_liked(ItemRow row) const {
        return std::ranges::binary_search(served_->liked[user_number_], row);
    }

    [[nodiscard]] double of_being_diverse(std::span<const std::uint32_t> slate) const {
        if (worth_of_diversity_ == 0) {
            return 0;
        }
        Matrix<float> shown(slate.size(), facts_.item_size - policy::plain_item_size);
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            const auto direction = items_.row(slate[slot]).subspan(policy::plain_item_size);
            std::ranges::copy(direction, shown.row(slot).begin());
        }
        return worth_of_diversity_ * simulate::slate_diversity(std::as_const(shown).view());
    }

    void learn_of(const UserEvent& event) {
        const auto& snapshot = *served_->snapshot;
        events_.push_back(event);
        policy::adapt(
            *snapshot.run.model->belief_prior(),
            *belief_,
            ItemId{snapshot.model_row(event.row)},
            event.weight
        );
    }

    /// What a click is remembered as.
    [[nodiscard]] ItemRow clicked_row(ItemRow row) const {
        const auto& others = served_->liked[other_];
        return context_ == "shuffled" ? others[events_.size() % others.size()] : row;
    }

    void rescore() {
        std::optional<policy::Belief> drawn;
        if (is_drawn_) {
            drawn = belief_;
            drawn->posterior.mean = belief_->posterior.draw(draws_);
        }
        const Taste taste{.belief = drawn ? &*drawn : &*belief_};
        best_ = score_candidates(
                    *served_->snapshot,
                    served_->items,
                    {.events = events_},
                    taste,
                    {.keep = facts_.n_candidates + n_shown_}
        )
                    .best;
        summary_ = policy::summarise(*belief_);
    }

    /// The best that were not shown, as the knobs see them.
    void offer() {
        std::vector<Scored> rows;
        for (const auto& one : best_) {
            if (rows.size() < facts_.n_candidates && !shown_.contains(one.index)) {
                rows.push_back(one);
            }
        }
        HG_CHECK(rows.size() == facts_.n_candidates, "more are kept than can be shown");
        const auto signals = policy::standardise(
            signals_of(*served_->snapshot, served_->items, {.events = events_}, &*belief_, rows)
        );
        const auto scores = policy::standardise(rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto row = items_.row(i);
            row[0] = scores[i];
            row[1] = signals[i].uncertainty;
            row[2] = signals[i].novelty;
            row[3] = signals[i].content;
            for (auto& number : row.first(policy::plain_item_size)) {
                number = std::clamp(number, -widest, widest);
            }
            item_ids_[i] = rows[i].index;
        }
        if (policy::shows_directions(facts_)) {
            const auto directions = directions_of(*served_->snapshot, rows);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const auto shown = items_.row(i).subspan(policy::plain_item_size);
                std::ranges::copy(directions.row(i), shown.begin());
            }
        }
    }

    std::shared_ptr<const Served> served_;
    simulate::EnvironmentFacts facts_;
    bool has_skip_events_;
    std::string context_;
    bool is_drawn_;
    double worth_of_diversity_;
    std::size_t n_shown_ = 0;  // in an episode
    std::size_t user_number_ = 0;
    std::size_t other_ = 0;  // whose clicks are remembered, where they are shuffled
    Rng draws_{0};
    std::size_t n_steps_ = 0;
    std::vector<UserEvent> events_;
    std::unordered_set<ItemRow> shown_;
    std::optional<policy::Belief> belief_;
    policy::BeliefSummary summary_;
    std::vector<Scored> best_;  // of the newest scoring
    std::vector<simulate::Response> responses_;
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
};

}  // namespace

void ServedWorldOptions::describe(OptionBinder& bind, ServedWorldOptions& o) {
    bind("data", o.data, "folder of the dataset whose users come; the run's items");
    bind(
        "users",
        o.users,
        "those to learn from, or those to be judged on",
        {.choices = {"learn", "judge"}}
    );
    bind(
        "skips",
        o.skips,
        "what was passed by: no event, or one of weight 0",
        {.choices = {"silent", "events"}}
    );
    bind(
        "context",
        o.context,
        "what the run learns of: own clicks; none = no inner step; shuffled = another user's",
        {.choices = {"own", "none", "shuffled"}}
    );
    bind(
        "ranking",
        o.ranking,
        "by the mean of the belief, or by a draw of it for each slate: Thompson sampling",
        {.choices = {"mean", "draw"}}
    );
    bind(
        "candidates", o.candidates, "the best items, which the knobs weigh", {.min = 2, .max = 1e5}
    );
    bind("slate_size", o.slate_size, "items shown at a time", {.min = 1, .max = 100});
    bind("step_limit", o.step_limit, "slates of a visit", {.min = 1, .max = 1e5});
    bind(
        "diversity",
        o.diversity,
        "what the mean cosine distance of a slate's items is worth, in clicks",
        {.min = 0, .max = 1e3}
    );
    bind("min_liked", o.min_liked, "users who liked fewer are left out", {.min = 1, .max = 1e6});
    bind("judged_share", o.judged_share, "of the users", {.min = 0.01, .max = 0.99});
    bind("split_seed", o.split_seed, "of the parting of users", {.min = 0, .max = 1e15});
}

std::unique_ptr<simulate::Environment> open_served_world(
    const std::filesystem::path& run,
    const ServedWorldOptions& options,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    if (options.data.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("served:{} does not say whose users come", run.string()),
            "add --set world.data=DIR"
        };
    }
    auto dataset =
        std::make_shared<const data::Dataset>(value_or_throw(data::open_dataset(options.data)));
    auto served = std::make_shared<Served>(std::move(dataset));
    served->snapshot =
        load_snapshot({.run = run, .data = options.data}, 1, served->items, progress, stop);
    if (served->snapshot->run.model->belief_prior() == nullptr) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is a run of {}: it has no belief for an actor to look at",
                run.string(),
                served->snapshot->run.manifest.value("model", "another kind")
            ),
            "give a run of gaussian, or of a blend with gaussian in it"
        };
    }
    take_users(*served, options);
    return std::make_unique<ServedWorld>(std::move(served), options);
}

}  // namespace hg::serve
