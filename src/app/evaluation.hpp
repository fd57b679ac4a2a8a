// SPDX-License-Identifier: Apache-2.0
// Evaluation: the table, few-shot curve and user segments of one protocol: what is printed, saved
// and drawn.
//
// Differences are to the baseline row (popularity unless asked otherwise), paired per user (a
// user's answers at several context lengths are averaged first), with the 95 % bootstrap interval
// and a p-value corrected for the number of rows (Holm). A challenger is compared with the best
// other row at each context length: the best is chosen on the answers, which favours the other
// rows.
//
//   const auto e = summarise(dataset, protocol, outcomes, {.k = 10, .baseline = "popularity"});
//   fmt::print("{}", to_text(e));
#pragma once

#include "app/list_metrics.hpp"
#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "evaluate/significance.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hg::app {

/// A model on one group of questions (Protocol::groups).
struct GroupResult {
    double ndcg = 0;
    evaluate::Interval interval{};  // bootstrap over users
    double hit = 0;
    double coverage = 0;                                     // of the items to rank
    double unpopular_hit = 0;                                // as of ModelRow
    std::optional<evaluate::PairedDifference> difference{};  // to the baseline
};

struct ModelRow {
    std::string name;
    std::string refused;
    bool is_control = false;  // as of Outcome
    double ndcg = 0;
    evaluate::Interval ndcg_interval;  // bootstrap over users
    double hit = 0;
    double recall = 0;
    double precision = 0;
    double average_precision = 0;
    double reciprocal_rank = 0;
    double coverage = 0;
    double gini = 0;
    double novelty_bits = 0;
    double head_share = 0;                       // of shown items, in the most popular fifth
    std::vector<std::optional<double>> metrics;  // of Evaluation::metrics, in their order
    double fit_seconds = 0;
    double score_seconds = 0;
    std::optional<evaluate::PairedDifference> difference;  // of ndcg to the baseline
    double p_holm = 1;
    std::vector<std::string> warnings;
    double unpopular_hit = 0;   // share of lists with a hit outside the 100 most popular items
    std::vector<double> curve;  // ndcg per context; few-shot and queries
    std::vector<double> hit_curve;
    double curve_area = 0;                         // learning_curve.hpp
    std::optional<std::size_t> events_to_match{};  // Evaluation::match_level
    std::vector<std::optional<evaluate::PairedDifference>> curve_differences;
    std::vector<double> segments;     // ndcg per segment
    std::vector<GroupResult> groups;  // per group; everything above is of the first
};

/// Users whose history has min .. max events.
struct Segment {
    std::string name;
    std::size_t n_queries = 0;
};

/// One row against the best of the others after `context` events.
struct AgainstBest {
    std::size_t context = 0;
    std::string best;  // the other row with the highest NDCG there, chosen on these very users
    evaluate::PairedDifference difference;     // each user's mean over the orders asked in
    evaluate::PairedDifference in_file_order;  // the same where only one order is asked
    double p_holm = 1;                         // corrected for the number of context lengths
};

/// Questions of one kind, and what is ranked for them.
struct QueryGroup {
    std::string name;
    std::size_t n_users = 0;
    std::size_t n_queries = 0;
    std::size_t n_candidates = 0;
    double targets = 0;  // mean number
};

struct Evaluation {
    std::string dataset;
    std::string dataset_hash;
    ProtocolKind kind = ProtocolKind::leave_one_out;
    std::string protocol;  // the label
    std::string ranking;   // "full ranking of 1682 items" or "SAMPLED: 100 negatives, ..."
    std::string baseline;  // empty: none of the rows
    std::size_t k = 10;
    std::size_t n_users = 0;
    std::size_t n_queries = 0;
    std::size_t n_train_events = 0;  // of the first trial
    std::uint64_t seed = 7;
    std::vector<ModelRow> rows;
    std::vector<const ListMetric*> metrics;  // those asked for, then those always in the JSON
    std::size_t n_metrics_asked = 0;
    std::vector<std::size_t> contexts;
    /// NDCG of the row item_knn at the longest context, where there is one.
    std::optional<double> match_level{};
    std::string challenger;                 // the row of against_best
    std::vector<AgainstBest> against_best;  // per context; few-shot and queries
    std::vector<Segment> segments;
    std::vector<QueryGroup> groups;  // empty: one kind only
    std::vector<std::string> notes;
};

struct SummaryOptions {
    std::size_t k = 10;
    std::size_t sampled_negatives = 0;
    std::string baseline = "popularity";
    std::string challenger{};  // compare this row with the best other one at each context
    std::uint64_t seed = 7;
    const encode::ItemVectors* content = nullptr;
    std::vector<const ListMetric*> metrics{};  // to print beside the usual ones
};

[[nodiscard]] Evaluation summarise(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    const SummaryOptions& options
);

/// The row with the highest NDCG, refused ones left out; null when there is none. Borrowed.
[[nodiscard]] const ModelRow* best_row(const Evaluation& evaluation);

/// The table a person reads; conventions and warnings below it.
[[nodiscard]] std::string to_text(const Evaluation& evaluation);
[[nodiscard]] nlohmann::json to_json(const Evaluation& evaluation);

}  // namespace hg::app
