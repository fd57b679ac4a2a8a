// SPDX-License-Identifier: Apache-2.0
// impressions: decisions of agents as an impression log, and logged decisions as observations, so
// that one policy can be judged on the log of another.
//
//   ImpressionRecorder recorder{out, "random", facts};      // a StepHook of play()
//   const LoggedDecisions log = decisions_of(value_or_throw(read_impressions(...)));
//   const auto p = slate_probabilities({.agent = agent.get(), .sessions = {}}, Mode::exploit, log);
#pragma once

#include "data/impression_log.hpp"
#include "policy/agent.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace hg::policy {

/// Writes every decision of a play as one line. Items are their numbers; where candidates are fresh
/// at every step, PLACE:NUMBER. `out` outlives it.
class ImpressionRecorder {
  public:
    ImpressionRecorder(
        std::ostream& out, std::string policy, const simulate::EnvironmentFacts& world
    );

    /// Before each of several plays into one log: without it, episodes that one play left unfinished
    /// and the next would be of one user.
    void begin_play(std::uint64_t seed);

    /// As a StepHook. Users are "uU-eE": user U of the batch in its episode E, after "sS-" of begin_play().
    void operator()(const TransitionBatch& step, std::span<const std::uint64_t> episodes);

    [[nodiscard]] std::size_t count() const noexcept { return writer_.count(); }

  private:
    data::ImpressionWriter writer_;
    std::string policy_;
    std::string play_;  // begins every user id
    bool items_persist_;
    bool has_purchases_;
    std::uint64_t step_ = 0;
    data::ImpressionRow row_;  // reused
};

/// A log whose decisions all have one shape, as an agent sees them.
struct LoggedDecisions {
    simulate::EnvironmentFacts shape;
    Matrix<float> users;             // [n, user_size]
    Matrix<float> items;             // [n * n_candidates, item_size]
    Matrix<std::uint32_t> item_ids;  // [n, n_candidates]
    /// Worlds of a few states show them one-hot: the largest place.
    std::vector<std::uint32_t> states;
    Matrix<std::uint32_t> slates;  // [n, k] places among the candidates
    std::vector<double> reward;
    std::vector<double> propensity;
    std::vector<std::uint32_t> units;  // the user: decisions of one are dependent

    [[nodiscard]] std::size_t size() const noexcept { return reward.size(); }

    /// Decisions [first, first + count); `sessions` of all decisions, empty = none.
    [[nodiscard]] ObservationBatch batch(
        std::size_t first, std::size_t count, MatrixView<const float> sessions
    ) const;
};

/// Throws Error when decisions lack state or features or differ in shape. Item ids that are numbers
/// keep them, so that agents that know a world's items recognise them.
[[nodiscard]] LoggedDecisions decisions_of(const data::ImpressionLog& log);

/// What SessionTokens held before each decision, put together from the earlier decisions of the same
/// user and session, [n, n_tokens * token_size]. Throws Error when the log does not say what was
/// clicked.
[[nodiscard]] Matrix<float> sessions_of(
    const data::ImpressionLog& log, const LoggedDecisions& decisions, std::size_t n_tokens
);

/// What came of a slot of a decision. Throws Error when the log does not say whether it was clicked.
[[nodiscard]] simulate::Response response_of(
    const data::ImpressionLog& log, std::size_t decision, std::size_t slot
);

/// An agent and the sessions it reads of a log.
struct LoggedAgent {
    Agent* agent = nullptr;  // borrowed
    Matrix<float> sessions;  // of sessions_of(); empty = it reads none
};

/// The agent's probability of each logged slate.
[[nodiscard]] std::vector<double> slate_probabilities(
    const LoggedAgent& policy, Mode mode, const LoggedDecisions& log
);

}  // namespace hg::policy
