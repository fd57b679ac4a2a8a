// SPDX-License-Identifier: Apache-2.0
// judge_served: runs of train on the log of a server, as the arrays that off-policy estimators and
// the gate take: what each would have shown to the same users at the same moments (replay.hpp),
// with which probability.
//
// A judged run draws from *its own* best M items, as it would when it serves. What it would show
// and the log could not have is lost support, and is reported: supported_mass is the share of its
// slates whose every slot the log's policy shows with a propensity of at least 1e-4 (exact for one
// slot, by sampled_slates draws for more). Predicted rewards are cross-fitted on what is known of an
// item before the answer: its place among every judged policy's candidates, its popularity in the
// dataset, which of the most shown items it is; and on the length of the user's history.
//
//   const auto judged = judge_served(setup, std::array{candidate, ServedPolicy{}}, progress, stop);
#pragma once

#include "core/progress.hpp"
#include "data/served_log.hpp"
#include "policy/knobs.hpp"
#include "policy/predicted_rewards.hpp"
#include "serve/session.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace hg::serve {

/// Below it a slot counts as not shown by the log: docs/concepts/off_policy.md, "The gate".
inline constexpr double least_propensity = 1e-4;

/// Whom to judge: a run, served with the options the log's slates were served with unless told
/// otherwise, and with the knobs in force for the user then unless it brings a policy of its own.
struct ServedPolicy {
    std::filesystem::path run{};  // empty: whoever served, by the log's own propensities
    std::optional<double> epsilon{};
    std::optional<double> temperature{};
    std::optional<std::int64_t> max_candidates{};
    std::shared_ptr<const policy::KnobPolicy> knobs{};  // null: those of the log
};

struct JudgeServedSetup {
    std::shared_ptr<const data::Dataset> dataset;
    std::filesystem::path data;     // its folder, for the encoder of items that arrived
    const data::ServedLog& served;  // outlives the call
    SessionOptions sessions{};      // of the server
    std::size_t sampled_slates = 32;
    std::uint64_t seed = 7;
};

struct JudgedServed {
    policy::Judged judged;
    /// Of the decisions that a run of this name served with these options: the share it would have
    /// made with the logged propensity (to 1e-6), of those made without the novelty knob. Nothing
    /// where there are none.
    std::vector<std::optional<double>> agreement;
};

/// Throws Error.
[[nodiscard]] JudgedServed judge_served(
    const JudgeServedSetup& setup,
    std::span<const ServedPolicy> policies,
    ProgressSink& progress,
    const std::stop_token& stop
);

}  // namespace hg::serve
