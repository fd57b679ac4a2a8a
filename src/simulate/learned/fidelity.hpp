// SPDX-License-Identifier: Apache-2.0
// fidelity: how far a learned world may be trusted, measured on sequences it was not fitted to.
//
// Three questions. Does it predict each answer, given what really came before (log loss, AUC,
// calibration; errors of values), better than base rates and the means of item and user? Are
// sessions played in it like real ones (lengths, time between, popularity, diversity, repeats)?
// Do fixed policies come out in the same order in it as in the log? What the data cannot tell is
// "not available", never a number. The last line says what not to use the world for.
//
//   const Fidelity f = measure_fidelity(*loaded.model, table, split, {});
#pragma once

#include "evaluate/prediction.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/world_model.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hg::simulate {

/// A predictor of a yes-or-no answer.
struct ChanceRow {
    std::string response;   // "click", "purchase", "purchase if clicked", "leave"
    std::string predictor;  // "world", "family feature", "base rate", ...
    double log_loss = 0;
    double auc = 0;  // NaN: not defined
    double calibration_error = 0;
    std::size_t n = 0;
};

/// A predictor of a number.
struct NumberRow {
    std::string response;  // "value of a click", "log hours until return"
    std::string predictor;
    double rmse = 0;
    double mean_error = 0;  // absolute
    std::size_t n = 0;
};

/// A statistic of sessions, in the log and in the world.
struct SessionRow {
    std::string name;
    std::optional<double> log;
    std::optional<double> world;
    std::optional<double> distance;  // Kolmogorov-Smirnov
    std::string missing;             // why something is not available
};

struct PolicyRow {
    std::string name;
    double log = 0;        // SNIPW of mean reward, or hit rate by replay
    double log_error = 0;  // standard error of that
    double world = 0;
};

struct Fidelity {
    std::string source;
    std::string data_name;
    std::size_t n_sequences = 0;  // held out
    std::size_t n_decisions = 0;
    std::vector<ChanceRow> chances;
    std::vector<evaluate::CalibrationBin> click_bins;  // of the world
    std::vector<NumberRow> numbers;
    std::string session_rule;  // what ends a session of the data; empty = not available
    std::vector<SessionRow> sessions;
    std::vector<double> log_lengths;  // quantiles 0, .1, .. 1; empty = not available
    std::vector<double> world_lengths;
    std::vector<double> log_popularity;  // share of clicks by tenth of items, most popular first
    std::vector<double> world_popularity;
    std::string policy_measure;  // what PolicyRow::log is
    std::vector<PolicyRow> policies;
    std::optional<double> rank_agreement;  // Kendall's tau over the pairs the log tells apart
    std::size_t n_told_apart = 0;          // pairs more than two standard errors apart
    std::vector<std::string> assumptions;
    std::string not_to_be_trusted_for;  // the last line
};

struct FidelityOptions {
    std::size_t episodes = 500;
    std::uint64_t seed = 7;
};

[[nodiscard]] Fidelity measure_fidelity(
    const std::shared_ptr<const WorldModel>& model,
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const FidelityOptions& options
);

[[nodiscard]] nlohmann::json to_json(const Fidelity& fidelity);

}  // namespace hg::simulate
