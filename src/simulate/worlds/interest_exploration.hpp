// SPDX-License-Identifier: Apache-2.0
// InterestExploration: two topics, the one fewer users love being the better made (RecSim: Ie et
// al., 2019): a policy that never explores it does not learn who its lovers are.
//
// Equal to RecSim 0.2.4 draw for draw. Users never leave: step_limit cuts the episode.
#pragma once

#include "core/numpy_random.hpp"
#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace hg::simulate {

struct InterestExplorationOptions {
    std::int64_t n_candidates = 10;
    std::int64_t slate_size = 2;
    std::int64_t step_limit = 60;

    static void describe(OptionBinder& bind, InterestExplorationOptions& o) {
        bind("n_candidates", o.n_candidates, "documents offered", {.min = 1, .max = 10000});
        bind("slate_size", o.slate_size, "documents shown", {.min = 1, .max = 100});
        bind("step_limit", o.step_limit, "steps of an episode", {.min = 1, .max = 1e9});
    }
};

class InterestExploration final : public Environment {
  public:
    static constexpr std::size_t n_topics = 2;

    struct Document {
        std::uint32_t topic = 0;
        double quality = 0;
    };

    explicit InterestExploration(const InterestExplorationOptions& options);

    void seed_streams(std::uint32_t users, std::uint32_t documents, std::uint32_t clicks);
    void begin_episode();

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override;
    [[nodiscard]] Observation observe() const override;
    [[nodiscard]] Transition step(std::span<const std::uint32_t> slate) override;
    [[nodiscard]] std::unique_ptr<Environment> clone() const override;
    [[nodiscard]] std::optional<double> expected_reward(std::span<const std::uint32_t> slate
    ) const override;
    [[nodiscard]] std::string describe_state() const override;

    [[nodiscard]] std::span<const double> affinities() const noexcept { return affinity_; }

    [[nodiscard]] std::span<const Document> documents() const noexcept { return documents_; }

    [[nodiscard]] std::span<const double> choice_probabilities() const noexcept { return choice_; }

  private:
    void draw_user();
    void draw_documents();
    /// P(click slot 0), ..., P(no click).
    void choice_of(std::span<const std::uint32_t> slate, std::span<double> out) const;

    EnvironmentFacts facts_;
    NumpyRandom user_random_{0};
    NumpyRandom document_random_{0};
    NumpyRandom click_random_{0};
    std::array<double, n_topics> affinity_{};
    std::size_t n_steps_ = 0;
    std::vector<Document> documents_;
    std::vector<double> choice_;
    std::vector<Response> responses_;
    std::array<float, 2 * n_topics> user_{};  // shown and clicked by topic, log(1 + n)
    std::array<double, 2 * n_topics> counts_{};
    Matrix<float> items_;  // topic one-hot, quality
    std::vector<std::uint32_t> item_ids_;
};

}  // namespace hg::simulate
