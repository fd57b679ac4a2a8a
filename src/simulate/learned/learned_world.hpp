// SPDX-License-Identifier: Apache-2.0
// LearnedWorld: a fitted world as an Environment.
//
// Every episode is one user: a start drawn from the data and, by default, one member of the
// ensemble drawn as the truth of that user, so that training over many episodes is training over
// what the data leave open (deep ensembles as tasks; cf. Chua et al., PETS, 2018, TS-infinity).
// `member = mean` answers with the average of the members instead. The disagreement of the members
// (standard deviation of the mean reward they expect of the slate) can be charged:
//
//   reward - uncertainty_penalty * disagreement        (cf. Yu et al., MOPO, 2020)
//
// or be shown to the agent as one more number per candidate. `family` keeps only members of one
// class: an agent trained in one can be judged in the other. Candidates are sets that were logged;
// for a dataset a seeded mixture of what resembles the user's history and of random items.
//
//   LearnedWorld world{load_world("runs/world").model, {}, {}};
#pragma once

#include "core/options.hpp"
#include "core/rng.hpp"
#include "simulate/environment.hpp"
#include "simulate/learned/history_profile.hpp"
#include "simulate/learned/session_features.hpp"
#include "simulate/learned/world_model.hpp"
#include "simulate/step_reward.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hg::simulate {

struct LearnedWorldOptions {
    std::string member = "drawn";
    std::string family = "all";
    double uncertainty_penalty = 0;
    bool show_uncertainty = false;
    std::string reward_model = "linear";
    std::int64_t step_limit = 0;
    std::int64_t n_candidates = 20;
    std::int64_t slate_size = 5;

    static void describe(OptionBinder& bind, LearnedWorldOptions& o) {
        bind(
            "member",
            o.member,
            "who answers: one member drawn per episode, or the mean of all",
            {.choices = {"drawn", "mean"}}
        );
        bind(
            "family",
            o.family,
            "use only members of this class",
            {.choices = {"all", "feature", "sequence"}}
        );
        bind(
            "uncertainty_penalty",
            o.uncertainty_penalty,
            "charged per unit of disagreement of the members",
            {.min = 0, .max = 1e6}
        );
        bind(
            "show_uncertainty",
            o.show_uncertainty,
            "one more number per candidate: the spread of its click probability"
        );
        bind(
            "reward_model",
            o.reward_model,
            "where reward.* says nothing: clicks, values and purchases as the log weighed them, or "
            "learned",
            {.choices = {"linear", "features", "rnn", "vae"}}
        );
        bind(
            "step_limit",
            o.step_limit,
            "longest episode; 0 = as the longest session",
            {.min = 0, .max = 1e9}
        );
        bind(
            "n_candidates",
            o.n_candidates,
            "offered at every step; worlds of datasets only",
            {.min = 2, .max = 10000}
        );
        bind(
            "slate_size",
            o.slate_size,
            "shown at every step; worlds of datasets only",
            {.min = 1, .max = 100}
        );
    }
};

/// What a slate is expected to do, member by member or on average.
struct SlateForecast {
    std::vector<double> click;     // by slot
    std::vector<double> purchase;  // P(purchase | click), by slot; 0 where the data tell none
    std::vector<double> value;     // mean value of a click, by slot
    double reward = 0;             // expected by the linear reward of the world
    double disagreement = 0;       // of the members about that
};

/// Standard deviation over members; 0 for fewer than two.
[[nodiscard]] double deviation(std::span<const double> values);

class LearnedWorld final : public Environment {
  public:
    LearnedWorld(
        std::shared_ptr<const WorldModel> model,
        const LearnedWorldOptions& options,
        const RewardOptions& reward
    );

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override;
    [[nodiscard]] Observation observe() const override;
    [[nodiscard]] Transition step(std::span<const std::uint32_t> slate) override;
    [[nodiscard]] std::unique_ptr<Environment> clone() const override;
    [[nodiscard]] std::optional<double> expected_reward(std::span<const std::uint32_t> slate
    ) const override;
    [[nodiscard]] std::string describe_state() const override;

    /// Of candidates of this moment.
    [[nodiscard]] SlateForecast forecast(std::span<const std::uint32_t> slate) const;

    /// Hours until this user would be back, drawn when the episode ended; nothing where the data
    /// do not tell.
    [[nodiscard]] std::optional<double> return_hours() const noexcept { return return_hours_; }

    /// What the logging policy showed of these candidates; empty for the world of a dataset.
    [[nodiscard]] std::span<const std::uint32_t> logged_slate() const;

    [[nodiscard]] const WorldModel& model() const noexcept { return *model_; }

  private:
    /// What one member has in mind of the user.
    struct Mind {
        std::size_t member = 0;
        std::vector<float> state;   // GRU; empty for features
        std::vector<float> vector;  // of the user, at this moment
    };

    void choose_members();
    void set_input(const Mind& mind);
    [[nodiscard]] float answer_share() const noexcept;
    void think();
    void offer();
    void draw_candidates();
    void draw_from_catalogue();
    [[nodiscard]] std::uint32_t draw_item();
    void show_candidates();
    [[nodiscard]] bool is_answering(std::size_t mind) const noexcept;
    void click_probabilities(
        const Mind& mind, std::span<const std::uint32_t> slate, std::span<double> out
    ) const;
    [[nodiscard]] double purchase_chance(const Mind& mind, std::uint32_t row) const;
    [[nodiscard]] double mean_value(const Mind& mind, std::uint32_t row) const;
    void draw_clicks(const SlateForecast& forecast);
    void draw_purchases(const SlateForecast& forecast);
    [[nodiscard]] bool draw_leaving(std::span<const std::uint32_t> slate);
    void draw_values(const SlateForecast& forecast, bool leaves);
    void write_shown(std::span<const std::uint32_t> slate);
    void remember(std::span<const std::uint32_t> slate);
    void move_user(bool clicked);
    [[nodiscard]] double learned_reward();
    [[nodiscard]] double reward_of(std::span<const std::uint32_t> slate, double before, bool ended);
    void draw_return();

    std::shared_ptr<const WorldModel> model_;
    LearnedWorldOptions options_;
    StepReward reward_;
    EnvironmentFacts facts_;
    std::vector<std::size_t> family_;  // members that may be used
    Rng random_{0};
    std::size_t start_ = 0;
    std::size_t set_ = 0;      // of candidates
    std::size_t truth_ = 0;    // index into minds_, where one member answers
    std::vector<Mind> minds_;  // members whose opinion is needed
    std::size_t n_steps_ = 0;
    std::vector<float> user_;    // raw numbers
    std::vector<float> scaled_;  // the same, scaled
    HistoryProfile profile_;
    std::vector<std::uint8_t> consumed_;  // by item row
    SessionCounters counters_;
    std::vector<std::uint32_t> candidates_;  // rows of items
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
    std::vector<Response> responses_;
    std::vector<float> token_;
    std::vector<float> session_;  // counters before the decision
    std::vector<float> change_;   // mean and log sd of the user's next move
    std::vector<float> input_;
    std::vector<float> work_;
    std::vector<ShownItem> shown_;
    const LearnedReward* learned_ = nullptr;  // of *model_; null = linear
    std::vector<float> reward_state_;
    std::optional<double> return_hours_;
};

}  // namespace hg::simulate
