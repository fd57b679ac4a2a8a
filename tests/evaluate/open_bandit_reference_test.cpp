// SPDX-License-Identifier: Apache-2.0
// Our estimators against Open Bandit Pipeline 0.5.5 on the "all" log of Open Bandit (ZOZO), and the
// gate's answer there: undecidable.
#include "core/mean.hpp"
#include "core/numpy_random.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/gate.hpp"
#include "evaluate/intervals.hpp"
#include "evaluate/overlap.hpp"
#include "evaluate/significance.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace hg::evaluate {
namespace {

const std::filesystem::path folder{HG_SHARED_DIR "/reference/ope"};

struct Case {
    std::string theirs;
    std::string ours;
    std::optional<double> parameter{};
};

const std::vector<Case>& cases() {
    static const std::vector<Case> table{
        {"ipw", "ipw"},
        {"ipw_clip5", "ipw", 5},
        {"snipw", "snipw"},
        {"dm", "dm"},
        {"dr", "dr"},
        {"dr_ps5", "dr", 5},
        {"sndr", "sndr"},
        {"switch-dr2", "switch_dr", 2},
        {"switch-dr5", "switch_dr", 5},
        {"switch-dr-tuned", "switch_dr", 10},
        {"dr-os1", "dros", 1},
        {"dr-os100", "dros", 100},
        {"dr-os-tuned", "dros", 10},
        {"sgipw0.1", "sgipw", .1},
        {"sgdr0.1", "sgdr", .1},
        {"mrdr", "mrdr"},
        {"dm_mrdr", "dm_mrdr"},
    };
    return table;
}

template <typename T>
std::vector<T> read_array(const std::string& name) {
    const auto path = folder / "arrays_all" / (name + ".bin");
    std::vector<T> values(std::filesystem::file_size(path) / sizeof(T));
    std::ifstream{path, std::ios::binary}.read(
        reinterpret_cast<char*>(values.data()),
        static_cast<std::streamsize>(values.size() * sizeof(T))
    );
    return values;
}

struct OpenBandit {
    std::vector<double> reward = read_array<double>("reward");
    std::vector<double> propensity = read_array<double>("pscore");
    std::vector<double> q_factual = read_array<double>("qhat_factual");
    std::vector<double> q_policy = read_array<double>("qhat_pi");
    std::vector<double> mrdr_factual = read_array<double>("qhat_mrdr_factual");
    std::vector<double> mrdr_policy = read_array<double>("qhat_mrdr_pi");
    std::vector<double> probability;

    OpenBandit() {
        constexpr std::size_t n_positions = 3;
        const auto action = read_array<std::int32_t>("action");
        const auto position = read_array<std::int32_t>("position");
        const auto by_action = read_array<double>("action_dist");
        for (std::size_t i = 0; i < action.size(); ++i) {
            const auto row = static_cast<std::size_t>(action[i]) * n_positions;
            probability.push_back(by_action.at(row + static_cast<std::size_t>(position[i])));
        }
    }

    [[nodiscard]] LoggedRows rows() const {
        return {reward, propensity, probability, q_factual, q_policy, mrdr_factual, mrdr_policy};
    }
};

class OpenBanditReference : public testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(folder)) {
            GTEST_SKIP() << "no " << folder
                         << ": our estimates were NOT compared with Open Bandit Pipeline";
        }
        expected_ = nlohmann::json::parse(std::ifstream{folder / "obp_all.json"});
    }

    nlohmann::json expected_;
};

TEST_F(OpenBanditReference, seventeen_estimates_equal_open_bandit_pipelines) {
    const OpenBandit log;
    ASSERT_EQ(cases().size(), expected_.at("policy_value").size()) << "the file changed";

    for (const auto& [theirs, ours, parameter] : cases()) {
        const auto rows = value_or_throw(contribute(find_estimator(ours), log.rows(), parameter));
        const double value = expected_.at("policy_value").at(theirs);

        EXPECT_NEAR(rows.value(), value, 1e-12) << theirs;
    }
}

struct ResampledMean {
    double mean = 0;  // of the resampled means
    Interval interval;
};

/// As Open Bandit Pipeline does it: a RandomState(seed), 2,000 times the mean of randint(0, n, n)
/// rows, numpy's percentiles.
ResampledMean numpy_bootstrap(const std::vector<double>& rows, std::uint32_t seed) {
    NumpyRandom random{seed};
    std::vector<double> means(2000);
    for (double& mean : means) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            mean += rows[random.below(static_cast<std::uint32_t>(rows.size()))];
        }
        mean /= static_cast<double>(rows.size());
    }
    ResampledMean result{.mean = mean_of(means), .interval = {}};
    std::ranges::sort(means);
    result.interval = {
        .low = quantile_of_sorted(means, .025), .high = quantile_of_sorted(means, .975)
    };
    return result;
}

TEST_F(OpenBanditReference, fifteen_bootstrap_intervals_equal_open_bandit_pipelines) {
    const OpenBandit log;
    const auto& intervals = expected_.at("ci95_bootstrap2000");
    int n_compared = 0;
    for (const auto& [theirs, ours, parameter] : cases()) {
        if (!intervals.contains(theirs)) {
            continue;
        }
        ++n_compared;
        const auto rows = value_or_throw(contribute(find_estimator(ours), log.rows(), parameter));
        const auto& value = intervals.at(theirs);

        const auto result = numpy_bootstrap(rows.rounds(), 12345);

        EXPECT_NEAR(result.mean, value.at("mean").get<double>(), 1e-9) << theirs;
        EXPECT_NEAR(result.interval.low, value.at("95.0% CI (lower)").get<double>(), 1e-9)
            << theirs;
        EXPECT_NEAR(result.interval.high, value.at("95.0% CI (upper)").get<double>(), 1e-9)
            << theirs;
    }
    EXPECT_EQ(n_compared, 15) << "the file changed";
}

TEST_F(OpenBanditReference, weights_have_the_mean_extremes_and_effective_rows_stated) {
    const OpenBandit log;
    const auto& weights = expected_.at("weights");

    const auto overlap = measure_overlap(importance_weights(log.rows()));

    EXPECT_NEAR(overlap.mean_weight, weights.at("mean").get<double>(), 1e-9);
    EXPECT_NEAR(overlap.largest_weight, weights.at("max").get<double>(), 1e-9);
    EXPECT_NEAR(overlap.effective_rows, weights.at("ess").get<double>(), 1e-6);
}

// Truth: BernoulliTS .0042, Random .0038; the log's own interval of the candidate is .0019 - .0098.
TEST_F(OpenBanditReference, the_gate_holds_for_lack_of_data) {
    const OpenBandit log;
    const std::vector<double> uniform(log.reward.size(), 1.0 / 80);
    const std::vector<double> all(log.reward.size(), 1);
    // A constant model of the incumbent: unbiased like any other.
    const std::vector<double> q_random(log.reward.size(), .0038);
    GateInput input{
        .candidate = log.rows(),
        .incumbent_probability = uniform,
        .incumbent_q_policy = q_random,
        .supported_mass = all,
        .uniform_probability = uniform,
        .decisions_per_day = 1e6,
    };

    const auto record = value_or_throw(run_gate(input));

    EXPECT_EQ(record.decision, Decision::hold);
    EXPECT_EQ(record.reason, HoldReason::lack_of_data) << to_text(record);
    EXPECT_EQ(record.check("effective_rows").verdict, Verdict::passed);
    EXPECT_NEAR(*record.candidate_value, .0048585587652695454, 1e-12);
    EXPECT_GT(record.data_request.value().decisions, 1e6);
}

}  // namespace
}  // namespace hg::evaluate
