// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/fidelity.hpp"

#include "simulate/learned/fidelity_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::simulate {
namespace {

const ChanceRow* find_row(
    const Fidelity& f, std::string_view response, std::string_view predictor
) {
    for (const auto& row : f.chances) {
        if (row.response == response && row.predictor == predictor) {
            return &row;
        }
    }
    return nullptr;
}

/// The best of the rows that know nothing but means.
double best_simple_loss(const Fidelity& f, std::string_view response) {
    double best = INFINITY;
    for (const auto& row : f.chances) {
        if (row.response == response && row.predictor != "world" &&
            !row.predictor.starts_with("family")) {
            best = std::min(best, row.log_loss);
        }
    }
    return best;
}

void add_doubts_of_data(const FeedbackFacts& facts, std::vector<std::string>& doubts) {
    if (facts.is_clicks_only) {
        doubts.push_back(fmt::format(
            "absolute click rates (what was shown was not recorded; {:.0f} drawn items per event "
            "stand for it)",
            facts.negatives_per_event
        ));
        doubts.emplace_back("the effect of positions");
    } else if (!facts.has_propensities) {
        doubts.emplace_back("items the logging policy seldom showed (no propensities)");
    }
    if (!facts.has_purchases) {
        doubts.emplace_back("purchases (the data do not tell them from clicks)");
    }
    if (!facts.has_sessions) {
        doubts.emplace_back("how long users stay");
    }
    if (!facts.has_gaps) {
        doubts.emplace_back("when they come back");
    }
}

void add_doubts_of_numbers(const Fidelity& f, std::vector<std::string>& doubts) {
    constexpr double wide = 0.15;  // KS: a tenth or more of all sessions are elsewhere
    constexpr double loose = 0.05;
    for (const std::string_view response : {"click", "purchase", "purchase if clicked", "leave"}) {
        const auto* world = find_row(f, response, "world");
        if (world == nullptr) {
            continue;
        }
        if (world->log_loss >= best_simple_loss(f, response)) {
            doubts.push_back(fmt::format(
                "{} at all (log loss {:.4f}, no better than a mean)", response, world->log_loss
            ));
        } else if (world->calibration_error > loose) {
            doubts.push_back(fmt::format(
                "chances of a {} as numbers (calibration error {:.3f})",
                response,
                world->calibration_error
            ));
        }
    }
    for (const auto& row : f.sessions) {
        if (row.distance && *row.distance > wide) {
            doubts.push_back(fmt::format("{} (KS {:.2f})", row.name, *row.distance));
        }
    }
    constexpr double agreed = 0.6;
    if (!f.rank_agreement) {
        doubts.emplace_back("ranking policies (the log cannot tell them apart)");
    } else if (*f.rank_agreement < agreed) {
        doubts.push_back(fmt::format("ranking policies (Kendall's tau {:.2f})", *f.rank_agreement));
    }
}

std::string last_line(const Fidelity& f, const FeedbackFacts& facts) {
    std::vector<std::string> doubts;
    add_doubts_of_data(facts, doubts);
    add_doubts_of_numbers(f, doubts);
    doubts.emplace_back("items and users unlike those of its data");
    std::string line = "Not to be trusted for: ";
    for (std::size_t i = 0; i < doubts.size(); ++i) {
        line += (i == 0 ? "" : i + 1 == doubts.size() ? "; nor for " : "; ") + doubts[i];
    }
    return line + ".";
}

nlohmann::json number(std::optional<double> value) {
    return value && std::isfinite(*value) ? nlohmann::json(*value) : nlohmann::json{};
}

nlohmann::json rows_json(const Fidelity& f) {
    nlohmann::json json;
    for (const auto& row : f.chances) {
        json["chances"].push_back({
            {"response", row.response},
            {"predictor", row.predictor},
            {"log_loss", number(row.log_loss)},
            {"auc", number(row.auc)},
            {"calibration_error", number(row.calibration_error)},
            {"n", row.n},
        });
    }
    for (const auto& row : f.numbers) {
        json["numbers"].push_back({
            {"response", row.response},
            {"predictor", row.predictor},
            {"rmse", row.rmse},
            {"mean_error", row.mean_error},
            {"n", row.n},
        });
    }
    for (const auto& row : f.sessions) {
        json["sessions"].push_back({
            {"name", row.name},
            {"log", number(row.log)},
            {"world", number(row.world)},
            {"ks", number(row.distance)},
            {"not_available", row.missing},
        });
    }
    for (const auto& row : f.policies) {
        json["policies"].push_back(
            {{"name", row.name},
             {"log", row.log},
             {"log_error", row.log_error},
             {"world", row.world}}
        );
    }
    return json;
}

}  // namespace

Fidelity measure_fidelity(
    const std::shared_ptr<const WorldModel>& model,
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const FidelityOptions& options
) {
    if (table.item_rows.cols() != model->facts.shape.item_size ||
        table.users.cols() != model->facts.shape.user_size) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: {} numbers per user and {} per item, the world has {} and {}",
                table.facts.data_name,
                table.users.cols(),
                table.item_rows.cols(),
                model->facts.shape.user_size,
                model->facts.shape.item_size
            ),
            "give the data the world was fitted to"
        };
    }
    Fidelity f;
    f.source = table.facts.source;
    f.data_name = table.facts.data_name;
    f.session_rule = table.facts.session_rule;
    f.n_sequences = split.test.size();
    for (const auto s : split.test) {
        f.n_decisions += table.sequence_offsets[s + 1] - table.sequence_offsets[s];
    }
    const FidelityInput input{model, table, split, options};
    measure_answers(input, f);
    measure_sessions(input, f);
    measure_policies(input, f);
    f.not_to_be_trusted_for = last_line(f, table.facts);
    return f;
}

nlohmann::json to_json(const Fidelity& f) {
    auto json = rows_json(f);
    json["source"] = f.source;
    json["data"] = f.data_name;
    json["held_out_sequences"] = f.n_sequences;
    json["held_out_decisions"] = f.n_decisions;
    json["session_rule"] =
        f.session_rule.empty() ? nlohmann::json{} : nlohmann::json(f.session_rule);
    json["popularity"] = {{"log", f.log_popularity}, {"world", f.world_popularity}};
    json["session_length_deciles"] = {{"log", f.log_lengths}, {"world", f.world_lengths}};
    json["policy_measure"] = f.policy_measure;
    json["pairs_told_apart"] = f.n_told_apart;
    json["rank_agreement"] = number(f.rank_agreement);
    json["assumptions"] = f.assumptions;
    json["not_to_be_trusted_for"] = f.not_to_be_trusted_for;
    return json;
}

}  // namespace hg::simulate
