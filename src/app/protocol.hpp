// SPDX-License-Identifier: Apache-2.0
// Protocol: what a model may learn from and what it is asked afterwards: the honest part of an
// evaluation.
//
// A protocol is a list of trials; a trial is a training log and queries (history -> items that
// followed) whose answers are not in that log. leave-one-out, ratio and time have one trial,
// few-shot one per fold.
// - leave-one-out: the last liked event of users with >= 3 events; validation: the one before
// - ratio: a random share of each user's events
// - time: everything after a moment, all users (needs real time): what production looks like
// - few-shot: folds over users never trained on; after k = 0, 1, 2, 5, 10 events, the next 10 items;
//   where the order of events means nothing, each user may be asked in several orders
// - queries: a file of contexts and targets, made by somebody else
//
// Targets are liked events (weight > 0). Where history is masked, a repeat of an old item cannot be
// returned, so it is no target; how many were left out is in the notes. Tune on Part::validation,
// look at Part::test once.
//
//   const Protocol protocol = make_protocol(dataset, {.kind = ProtocolKind::time});
#pragma once

#include "data/dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

enum class ProtocolKind : std::uint8_t { leave_one_out, ratio, time, few_shot, queries };
enum class Part : std::uint8_t { test, validation };
enum class Repeats : std::uint8_t { as_dataset_says, mask, allow };

[[nodiscard]] std::string_view to_string(ProtocolKind kind) noexcept;
/// Throws Error with the known names.
[[nodiscard]] ProtocolKind parse_protocol(std::string_view name);

struct ProtocolOptions {
    ProtocolKind kind = ProtocolKind::leave_one_out;
    Part part = Part::test;
    Repeats repeats = Repeats::as_dataset_says;
    double test_share = 0.2;                            // ratio, time
    std::size_t folds = 5;                              // few-shot
    std::vector<std::size_t> contexts{0, 1, 2, 5, 10};  // few-shot
    std::size_t max_targets = 10;                       // few-shot
    std::size_t orders = 1;     // few-shot, time = "none": the file's and others at random
    std::size_t max_users = 0;  // ask only so many users, drawn at random; 0 = all
    std::uint64_t seed = 7;
};

/// One question: after `history`, where do the `targets` stand? Columns are borrowed from the trial
/// or dataset.
struct Query {
    UserId user;  // of the dataset; for queries from a file, the line
    data::History history;
    std::vector<ItemId> targets;  // distinct, at least one
    std::size_t context = 0;      // few-shot: k
    std::size_t order = 0;        // few-shot: 0 = of the file, others are random
};

struct Trial {
    data::InteractionLog train;
    std::vector<Query> queries;
    std::shared_ptr<const void> storage;  // keeps histories alive that neither log has
};

struct Protocol {
    ProtocolKind kind = ProtocolKind::leave_one_out;
    Part part = Part::test;
    std::string label;  // "leave one out, full ranking, history masked"
    bool masks_history = true;
    std::vector<std::size_t> contexts;  // few-shot and queries: the values of Query::context
    std::vector<Trial> trials;
    std::vector<std::string> notes;  // what was left out, and how much of it

    [[nodiscard]] std::size_t n_queries() const noexcept;
};

/// A file of {"user_id", "context": ["id", ...], "targets": ["id", ...]} (.jsonl, .jsonl.gz): each
/// line is asked after the first k of its context; the whole log is training data, so the file's
/// users must not be in it. Throws Error with file:line.
[[nodiscard]] Protocol read_protocol(
    const data::Dataset& dataset, const std::filesystem::path& file, const ProtocolOptions& options
);

/// `dataset` outlives the protocol. Throws Error when the data cannot carry this protocol.
[[nodiscard]] Protocol make_protocol(const data::Dataset& dataset, const ProtocolOptions& options);

}  // namespace hg::app
