// SPDX-License-Identifier: Apache-2.0
// play_curves: what visits earn turn by turn, as rows of few-shot curves (few_shot_curves.hpp).
//
// Two policies played with one seed meet the same users in the same order, so their rows pair visit
// by visit. The value after k turns is the reward per turn from there to the next point; turns after
// the end of a visit earn nothing.
#pragma once

#include "policy/play.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace hg::app {

/// Rewards by turn of every visit; a StepHook.
class TurnRecorder {
  public:
    explicit TurnRecorder(std::size_t n_users) : now_(n_users), done_(n_users) {}

    void operator()(const policy::TransitionBatch& step, std::span<const std::uint64_t> episodes);

    /// The play is over: keeps the `n_visits` it counts, as many of every user.
    void end_play(std::size_t n_visits);

    /// [visits][turns], by play, user and number.
    [[nodiscard]] std::span<const std::vector<double>> visits() const { return visits_; }

  private:
    std::vector<std::vector<double>> now_;                // [users][turns so far]
    std::vector<std::vector<std::vector<double>>> done_;  // [users][visits][turns]
    std::vector<std::vector<double>> visits_;
};

/// Adds or replaces the row `name`; a file that is absent is made. Points: the turns 1, 2, 3 to 5, 6
/// to 10, 11 to 20 and 21 to 50, as far as `step_limit`. `of`: what was played; rows of one file
/// share it. Throws Error where the file holds something else, or cannot be written.
void write_play_curves(
    const std::filesystem::path& path,
    const std::string& name,
    std::span<const std::vector<double>> visits,
    std::size_t step_limit,
    const nlohmann::json& of
);

}  // namespace hg::app
