// SPDX-License-Identifier: Apache-2.0
// InterestEvolution: a user with interests in 20 topics, a budget of time and documents of a
// quality that is nearly a function of the topic (RecSim: Ie et al., 2019, section 6.1).
//
// Equal to RecSim 0.2.4 draw for draw: users and documents come from two numpy generators, clicks
// and drift from a third. The user's interests and the documents' topics are visible, the quality
// is not: showing what the user likes best earns 166 minutes, showing the best topics 291.
// Beyond RecSim: `qualities = "per_episode"` deals the topics' qualities anew for every user, so
// that no fixed rule works and what clicks reveal must be used; `observe = "feedback"` then shows
// the session's clicks and the mean quality found by topic.
//
//   InterestEvolution world{{.n_candidates = 10}};
//   world.seed_streams(0, 0, 42);   world.begin_episode();     // as RecSim's traces were made
#pragma once

#include "core/numpy_random.hpp"
#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace hg::simulate {

struct InterestEvolutionOptions {
    std::int64_t n_candidates = 10;
    std::int64_t slate_size = 2;
    bool resample_documents = true;
    std::string qualities = "fixed";
    std::string observe = "interests";
    std::int64_t step_limit = 1000;

    static void describe(OptionBinder& bind, InterestEvolutionOptions& o) {
        bind("n_candidates", o.n_candidates, "documents offered", {.min = 1, .max = 10000});
        bind("slate_size", o.slate_size, "documents shown", {.min = 1, .max = 100});
        bind("resample_documents", o.resample_documents, "new documents at every step");
        bind(
            "qualities",
            o.qualities,
            "the topics' mean qualities: RecSim's ladder, or dealt anew for every user",
            {.choices = {"fixed", "per_episode"}}
        );
        bind(
            "observe",
            o.observe,
            "the user's interests, or also what this session's clicks revealed by topic",
            {.choices = {"interests", "feedback"}}
        );
        bind("step_limit", o.step_limit, "longest episode; 0 = none", {.min = 0, .max = 1e9});
    }
};

class InterestEvolution final : public Environment {
  public:
    static constexpr std::size_t n_topics = 20;

    struct Document {
        std::uint32_t topic = 0;
        double quality = 0;
    };

    explicit InterestEvolution(const InterestEvolutionOptions& options);

    /// RecSim's constructor: draws and drops a user, draws the first documents.
    void seed_streams(std::uint32_t users, std::uint32_t documents, std::uint32_t clicks);
    /// RecSim's reset(): a new user from the streams as they stand.
    void begin_episode();

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override;
    [[nodiscard]] Observation observe() const override;
    [[nodiscard]] Transition step(std::span<const std::uint32_t> slate) override;
    [[nodiscard]] std::unique_ptr<Environment> clone() const override;
    [[nodiscard]] std::string describe_state() const override;

    [[nodiscard]] std::span<const double> interests() const noexcept { return interests_; }

    [[nodiscard]] std::span<const Document> documents() const noexcept { return documents_; }

    [[nodiscard]] double budget() const noexcept { return budget_; }

    /// P(click slot 0), ..., P(no click), of the last step.
    [[nodiscard]] std::span<const double> choice_probabilities() const noexcept { return choice_; }

    /// Mean quality by topic in this episode.
    [[nodiscard]] std::span<const double> topic_qualities() const noexcept { return mean_quality_; }

  private:
    void draw_user();
    void draw_documents();
    void deal_qualities();
    void click(std::size_t slot, const Document& document);
    void drift(const Document& document);
    void show_interests();

    InterestEvolutionOptions options_;
    EnvironmentFacts facts_;
    NumpyRandom user_random_{0};
    NumpyRandom document_random_{0};
    NumpyRandom click_random_{0};
    std::array<double, n_topics> mean_quality_{};
    std::array<double, n_topics> interests_{};
    double budget_ = 0;
    std::size_t n_steps_ = 0;
    std::vector<Document> documents_;
    std::vector<double> choice_;
    std::vector<Response> responses_;
    std::vector<float> user_;
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
};

}  // namespace hg::simulate
