// SPDX-License-Identifier: Apache-2.0
#include "app/fidelity_report.hpp"

#include <fmt/format.h>

#include <cmath>

namespace hg::app {
namespace {

std::string chances_text(const simulate::Fidelity& f) {
    std::string text = fmt::format(
        "\n  {:<20} {:<16} {:>9} {:>14} {:>12} {:>9}\n",
        "answer",
        "predictor",
        "log loss",
        "AUC",
        "calibration",
        "n"
    );
    for (const auto& row : f.chances) {
        text += fmt::format(
            "  {:<20} {:<16} {:>9} {:>14} {:>12} {:>9}\n",
            row.response,
            row.predictor,
            number(row.log_loss),
            number(row.auc),
            number(row.calibration_error),
            row.n
        );
    }
    return text;
}

std::string numbers_text(const simulate::Fidelity& f) {
    if (f.numbers.empty()) {
        return "\n  values of answers: not available\n";
    }
    std::string text = fmt::format(
        "\n  {:<24} {:<16} {:>9} {:>12} {:>9}\n", "number", "predictor", "RMSE", "mean error", "n"
    );
    for (const auto& row : f.numbers) {
        text += fmt::format(
            "  {:<24} {:<16} {:>9.4f} {:>12.4f} {:>9}\n",
            row.response,
            row.predictor,
            row.rmse,
            row.mean_error,
            row.n
        );
    }
    return text;
}

std::string sessions_text(const simulate::Fidelity& f) {
    std::string text = fmt::format(
        "\n  {:<50} {:>14} {:>14} {:>14}\n", "mean of sessions", "log", "world", "KS distance"
    );
    for (const auto& row : f.sessions) {
        text += fmt::format(
            "  {:<50} {:>14} {:>14} {:>14}{}{}\n",
            row.name,
            number(row.log, 3),
            number(row.world, 3),
            number(row.distance, 3),
            row.missing.empty() ? "" : "  ",
            row.missing
        );
    }
    return text + fmt::format(
                      "  a session ends at: {}\n",
                      f.session_rule.empty() ? "not available" : f.session_rule
                  );
}

std::string curve_text(std::string_view name, const std::vector<double>& curve) {
    std::string text = fmt::format("  {:<50}", name);
    for (const double share : curve) {
        text += fmt::format(" {:.3f}", share);
    }
    return text + "\n";
}

std::string policies_text(const simulate::Fidelity& f) {
    if (f.policies.empty()) {
        return "\n  rank agreement of policies: not available: the log has no propensities\n";
    }
    std::string text = fmt::format("\n  {:<24} {:>20} {:>12}\n", "policy", "log", "world");
    for (const auto& row : f.policies) {
        text += fmt::format(
            "  {:<24} {:>10.4f} +- {:.4f} {:>12.4f}\n", row.name, row.log, row.log_error, row.world
        );
    }
    return text + fmt::format(
                      "  log: {}; world: reward per step; Kendall's tau {} over the {} pairs that "
                      "the log tells apart\n",
                      f.policy_measure,
                      number(f.rank_agreement, 2),
                      f.n_told_apart
                  );
}

}  // namespace

std::string number(std::optional<double> value, int digits) {
    return value && std::isfinite(*value) ? fmt::format("{:.{}f}", *value, digits)
                                          : std::string{"not available"};
}

std::string fidelity_text(const simulate::Fidelity& f) {
    std::string text = fmt::format(
        "{} ({}): {} held-out sequences, {} decisions\n",
        f.data_name,
        f.source,
        f.n_sequences,
        f.n_decisions
    );
    text += chances_text(f) + numbers_text(f) + sessions_text(f);
    if (!f.log_popularity.empty()) {
        text += "\n  share of clicks by tenth of items, most clicked first\n";
        text += curve_text("log", f.log_popularity) + curve_text("world", f.world_popularity);
    }
    text += policies_text(f) + "\n";
    for (const auto& assumption : f.assumptions) {
        text += fmt::format("  assumed: {}\n", assumption);
    }
    return text + f.not_to_be_trusted_for + "\n";
}

}  // namespace hg::app
