// SPDX-License-Identifier: Apache-2.0
// LongTermSatisfaction: clickbait ("choc") engages now and wears satisfaction out, plain fare
// ("kale") the other way round (RecSim: Ie et al., 2019, section 6.2; Mladenov et al., 2019).
//
// Equal to RecSim 0.2.4 draw for draw. RecSim's sensitivity of .01 makes clickbait best at any
// horizon; a larger one (.1 and more) makes planning pay, so it is an option here.
//
//   LongTermSatisfaction world{{.sensitivity = 0.3}};
#pragma once

#include "core/numpy_random.hpp"
#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace hg::simulate {

struct LongTermSatisfactionOptions {
    std::int64_t n_candidates = 5;
    double sensitivity = 0.01;
    double memory_discount = 0.7;
    std::int64_t budget = 60;
    bool resample_documents = true;
    bool observe_satisfaction = true;

    static void describe(OptionBinder& bind, LongTermSatisfactionOptions& o) {
        bind("n_candidates", o.n_candidates, "documents offered", {.min = 1, .max = 10000});
        bind(
            "sensitivity",
            o.sensitivity,
            "how strongly satisfaction follows what was consumed",
            {.min = 0, .max = 10}
        );
        bind(
            "memory_discount",
            o.memory_discount,
            "share of past exposure that is remembered",
            {.min = 0, .max = 0.999}
        );
        bind("budget", o.budget, "steps of an episode", {.min = 1, .max = 1e6});
        bind("resample_documents", o.resample_documents, "new documents at every step");
        bind(
            "observe_satisfaction",
            o.observe_satisfaction,
            "the policy sees the satisfaction (RecSim's does not)"
        );
    }
};

class LongTermSatisfaction final : public Environment {
  public:
    explicit LongTermSatisfaction(const LongTermSatisfactionOptions& options);

    void seed_streams(std::uint32_t users, std::uint32_t documents, std::uint32_t responses);
    void begin_episode();

    const EnvironmentFacts& facts() const noexcept override { return facts_; }

    void reset(std::uint64_t seed) override;
    [[nodiscard]] Observation observe() const override;
    [[nodiscard]] Transition step(std::span<const std::uint32_t> slate) override;
    [[nodiscard]] std::unique_ptr<Environment> clone() const override;
    /// exp(mean + 1/2): the mean of a lognormal of unit variance.
    [[nodiscard]] std::optional<double> expected_reward(std::span<const std::uint32_t> slate
    ) const override;
    [[nodiscard]] std::string describe_state() const override;

    [[nodiscard]] std::span<const double> clickbait() const noexcept { return clickbait_; }

    [[nodiscard]] double exposure() const noexcept { return exposure_; }

    [[nodiscard]] double satisfaction() const noexcept { return satisfaction_; }

  private:
    void draw_user();
    void draw_documents();
    void update_satisfaction();
    [[nodiscard]] double mean_log_engagement(double k) const;

    LongTermSatisfactionOptions options_;
    EnvironmentFacts facts_;
    NumpyRandom user_random_{0};
    NumpyRandom document_random_{0};
    NumpyRandom response_random_{0};
    double exposure_ = 0;  // "net positive exposure"
    double satisfaction_ = 0;
    std::int64_t budget_ = 0;
    std::vector<double> clickbait_;
    std::array<Response, 1> responses_{};
    std::array<float, 2> user_{};  // satisfaction, share of the budget left
    Matrix<float> items_;
    std::vector<std::uint32_t> item_ids_;
};

}  // namespace hg::simulate
