// SPDX-License-Identifier: Apache-2.0
// ImpressionRow: one decision of a policy as a line of an impression log: what it saw, what it
// could have shown, what it showed with which probability, and what came of it.
//
// docs/formats/impression_log.md is the format. Parsing only reads; check_impression says whether
// the decision can be used, and the answer depends on the purpose: learning takes every honest row,
// off-policy evaluation needs propensities of a policy that could have chosen otherwise.
//
//   ImpressionParser parser;
//   HG_TRY(auto impression, parser.parse(line));
//   HG_TRY(auto fine, check_impression(impression, Purpose::off_policy));
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

/// In place of a number that was not given.
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

struct LoggedSlot {
    std::string item_id{};
    double propensity = no_number;  // P(item | slots above, candidates)
    double reward = no_number;
    double value = no_number;   // dwell, quantity, ... as it came
    double rating = no_number;  // what the user said of it
    std::optional<bool> clicked{};
    std::optional<bool> purchased{};         // after a click
    std::optional<std::int32_t> position{};  // where it is not the place in the list; from 0
};

struct ImpressionRow {
    std::string recommendation_id{};
    std::string user_id{};
    std::string segment{};              // of the user; empty = not given
    std::optional<TimeMs> timestamp{};  // milliseconds, or the step of a simulation
    std::string policy{};
    bool deterministic = false;
    std::vector<float> state{};               // what the policy saw of the user
    std::vector<std::string> candidates{};    // the support, in order; empty = not logged
    std::vector<float> candidate_features{};  // [candidates, d], row major; empty = not logged
    std::vector<std::string> history{};       // oldest first
    std::vector<LoggedSlot> slots{};          // from the top
    double propensity = no_number;            // of the whole slate
    double reward = no_number;                // of the whole slate
    std::optional<bool> ended{};              // the user left after this decision

    /// `propensity`, or the product of the slots' where it was not given.
    [[nodiscard]] double slate_propensity() const;
    /// `reward`, or the sum of the slots' where it was not given.
    [[nodiscard]] double slate_reward() const;
};

enum class Purpose : std::uint8_t { learning, off_policy };

/// Fails with what is wrong, what was expected and the next step, in one sentence.
[[nodiscard]] Result<void> check_impression(const ImpressionRow& impression, Purpose purpose);

/// Reuses its buffers from line to line; single-threaded.
class ImpressionParser {
  public:
    ImpressionParser();
    ImpressionParser(const ImpressionParser&) = delete;
    ImpressionParser& operator=(const ImpressionParser&) = delete;
    ImpressionParser(ImpressionParser&&) = delete;
    ImpressionParser& operator=(ImpressionParser&&) = delete;
    ~ImpressionParser();

    /// Unknown keys are ignored, null counts as left out.
    [[nodiscard]] Result<ImpressionRow> parse(std::string_view line);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Appends the impression as one line of JSON with its line end. Numbers not given are left out;
/// the others read back as the same bits. Ids are UTF-8; numbers finite.
void append_json(const ImpressionRow& impression, std::string& out);

}  // namespace hg::data
