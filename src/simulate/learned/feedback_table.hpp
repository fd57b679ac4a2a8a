// SPDX-License-Identifier: Apache-2.0
// FeedbackTable: who was shown what and did what, as columns: the one thing a learned world is
// fitted to, whether it comes from an impression log or from a dataset.
//
// A sequence is what one user did without a break in what we know of them: a session of an
// impression log, all events of a user of a dataset. It is cut into decisions, a decision into
// slots. Items are rows of one matrix of features; users are described by numbers before each
// decision. Immutable once filled; const-safe.
//
//   const FeedbackTable table = feedback_from_log(log, "a.jsonl", options);
//   for (std::size_t d : table.decisions(sequence)) { use(table.users.row(d), table.slots_of(d)); }
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::simulate {

constexpr float unknown_value = std::numeric_limits<float>::quiet_NaN();

enum class Leaving : std::uint8_t {
    stays,    // another decision of the session follows
    leaves,   // the session ends here because the user left
    unknown,  // the record ends here
};

struct FeedbackSlot {
    std::uint32_t item = 0;  // row of item_rows
    bool clicked = false;
    bool purchased = false;       // never without a click
    float value = unknown_value;  // of a click: minutes, rating, quantity
};

/// What all sequences share.
struct FeedbackFacts {
    std::string source;          // "impression log" or "dataset"
    std::string data_name;       // for manifests
    std::string data_hash;       // "
    std::size_t slate_size = 1;  // slots of the widest decision
    bool has_positions = false;
    bool has_fresh_items = false;  // an item id is a kind: candidates may share one
    bool has_propensities = false;
    bool has_sessions = false;         // false: nobody is ever seen leaving
    std::string session_rule;          // what ends a session; empty where nothing does
    bool has_gaps = false;             // real times between sessions
    bool has_purchases = false;        // some clicks are purchases and some are not
    bool has_repeats = false;          // a consumed item may come again
    bool has_session_repeats = false;  // ... even within a session
    bool has_rewards = false;          // what a decision was worth is logged
    bool has_dynamics = false;         // user numbers move in ways that must be learned
    bool is_clicks_only = false;       // decisions without a click leave no trace (dataset)
    double negatives_per_event = 0;    // dataset: slots that were drawn, not shown
    double click_weight = 1;           // dataset: mean weight of a liked event that is no purchase
    double purchase_weight = 1;        // dataset: and of one that is
    double value_centre = 0;           // dataset: what HistoryProfile takes from every value
    std::string value_name = "value";
};

struct FeedbackTable {
    FeedbackFacts facts;
    Matrix<float> item_rows;                       // [n_rows, item_size]
    std::vector<std::uint32_t> item_ids;           // of each row
    std::vector<std::string> item_texts;           // dataset: names, by row; empty = none
    std::vector<float> item_sampling;              // dataset: chance of being drawn, by row
    std::vector<std::size_t> sequence_offsets{0};  // into decisions
    std::vector<std::size_t> slot_offsets{0};      // into slots
    std::vector<FeedbackSlot> slots;
    Matrix<float> users;                      // [n_decisions, user_size]
    std::vector<std::uint32_t> session_step;  // decisions of its session before it
    std::vector<Leaving> leaving;
    std::vector<float> weight;                      // exposure weight, mean 1
    std::vector<double> propensity;                 // of the slate; NaN = unknown
    std::vector<float> reward;                      // NaN = unknown
    std::vector<float> gap_hours;                   // to the next session; NaN = unknown
    std::vector<std::size_t> candidate_offsets{0};  // per decision, into candidates; log only
    std::vector<std::uint32_t> candidates;          // rows of item_rows

    [[nodiscard]] std::size_t n_sequences() const noexcept { return sequence_offsets.size() - 1; }

    [[nodiscard]] std::size_t n_decisions() const noexcept { return slot_offsets.size() - 1; }

    [[nodiscard]] auto decisions(std::size_t sequence) const {
        return std::views::iota(sequence_offsets.at(sequence), sequence_offsets.at(sequence + 1));
    }

    [[nodiscard]] std::span<const FeedbackSlot> slots_of(std::size_t decision) const {
        return std::span{slots}.subspan(
            slot_offsets[decision], slot_offsets[decision + 1] - slot_offsets[decision]
        );
    }

    [[nodiscard]] std::span<const std::uint32_t> candidates_of(std::size_t decision) const {
        return std::span{candidates}.subspan(
            candidate_offsets[decision],
            candidate_offsets[decision + 1] - candidate_offsets[decision]
        );
    }
};

/// Throws Error{invalid_argument} where there is nothing to learn: no sequences, no click at all.
void check_feedback(const FeedbackTable& table);

/// Sequences for fitting, for early stopping and for the fidelity report.
struct FeedbackSplit {
    std::vector<std::uint32_t> train;
    std::vector<std::uint32_t> validation;
    std::vector<std::uint32_t> test;
};

/// `holdout` of the sequences each for validation and test, by `rng`; at least one each where there
/// are three.
[[nodiscard]] FeedbackSplit split_feedback(std::size_t n_sequences, double holdout, Rng rng);

/// Where each shown item stands among the candidates of the decision; equal rows one after another.
[[nodiscard]] std::vector<std::uint32_t> shown_places(
    const FeedbackTable& table, std::size_t decision
);

/// Whether every slate got at most one click although it had room for more.
[[nodiscard]] bool has_single_clicks(const FeedbackTable& table);

/// Mean and spread of columns, and of the values of clicks: what networks see is (x - mean) / sd.
struct Scaling {
    std::vector<float> mean;
    std::vector<float> inverse_sd;

    void apply(std::span<const float> from, std::span<float> to) const;
};

[[nodiscard]] Scaling scale_columns(MatrixView<const float> rows);

}  // namespace hg::simulate
