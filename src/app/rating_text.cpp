// SPDX-License-Identifier: Apache-2.0
// A RatingEvaluation as a table for people and as JSON for machines.
#include "app/rating_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::app {
namespace {

using nlohmann::json;

constexpr std::array age_names{"old", "new"};

/// Who is learned, and who is asked about.
struct Words {
    std::string_view task;
    std::string_view asked;
};

Words words_of(const RatingEvaluation& e) {
    return e.tasks == RatingTasks::users ? Words{"user", "item"} : Words{"item", "user"};
}

std::size_t name_width(const RatingEvaluation& evaluation) {
    std::size_t width = 7;
    for (const auto& row : evaluation.rows) {
        width = std::max(width, row.name.size());
    }
    return width;
}

void add_errors(std::string& text, const RatingEvaluation& e, std::size_t age, std::size_t width) {
    text += fmt::format(
        "\n{} {}s ({} {}s, {} ratings)\n{:<{}}",
        age_names.at(age),
        words_of(e).asked,
        e.n_users.at(age),
        words_of(e).task,
        e.n_queries.at(age),
        "MAE/RMSE",
        width
    );
    for (const auto k : e.contexts) {
        text += fmt::format("  {:^15}", fmt::format("k={}", k));
    }
    text += "    fit s\n";
    for (const auto& row : e.rows) {
        text += fmt::format("{:<{}}", row.name, width);
        for (const auto& cell : row.cells.at(age)) {
            text += fmt::format("  {:.4f} / {:.4f}", cell.mae, cell.rmse);
        }
        text += fmt::format("  {:>7.1f}\n", row.fit_seconds);
    }
}

void add_differences(
    std::string& text, const RatingEvaluation& e, std::size_t age, std::size_t width
) {
    text += fmt::format(
        "\n{} {}s: MAE - {} [95 %], folds better (negative = better)\n",
        age_names.at(age),
        words_of(e).asked,
        e.baseline
    );
    for (const auto& row : e.rows) {
        if (row.name == e.baseline) {
            continue;
        }
        text += fmt::format("{:<{}}", row.name, width);
        for (const auto& cell : row.cells.at(age)) {
            const auto& d = cell.mae_difference;
            text += fmt::format(
                "  {:+.4f} [{:+.4f}, {:+.4f}] {}/{}",
                d.mean,
                d.bootstrap.low,
                d.bootstrap.high,
                cell.folds_better,
                e.folds
            );
        }
        text += '\n';
    }
}

json difference_json(const evaluate::PairedDifference& d) {
    return {
        {"mean", d.mean},
        {"bootstrap_95", {d.bootstrap.low, d.bootstrap.high}},
        {"p", d.p_value},
        {"n_users", d.n},
    };
}

bool has_baseline(const RatingEvaluation& e) {
    return std::ranges::find(e.rows, e.baseline, &RatingRow::name) != e.rows.end();
}

json cell_json(const RatingEvaluation& e, const RatingCell& cell) {
    json result{{"mae", cell.mae}, {"rmse", cell.rmse}};
    if (has_baseline(e)) {
        result["mae_difference"] = difference_json(cell.mae_difference);
        result["mae_difference"]["p_holm"] = cell.p_holm;
        result["square_difference"] = difference_json(cell.square_difference);
        result["folds_better"] = cell.folds_better;
    }
    return result;
}

}  // namespace

std::string to_text(const RatingEvaluation& e) {
    const auto width = name_width(e) + 1;
    std::string text = fmt::format(
        "{}: {}; seed {}\n{} training ratings in the first trial\n",
        e.dataset,
        e.label,
        e.seed,
        e.n_train_ratings
    );
    for (std::size_t age = 0; age < age_names.size(); ++age) {
        if (e.n_users.at(age) == 0) {
            continue;
        }
        add_errors(text, e, age, width);
        if (has_baseline(e)) {
            add_differences(text, e, age, width);
        }
    }
    text += fmt::format(
        "\nThe error of one {0} is the mean over the ratings asked, a row's the mean over {0}s; "
        "differences are paired per {0}\n(bootstrap over the {0}s of all folds; no two folds "
        "share one). Predictions are cut to the range of the ratings.\n",
        words_of(e).task
    );
    for (const auto& note : e.notes) {
        text += fmt::format("note: {}\n", note);
    }
    return text;
}

json to_json(const RatingEvaluation& e) {
    json result{
        {"format_version", 1},
        {"dataset", {{"name", e.dataset}, {"hash", e.dataset_hash}}},
        {"protocol", "ratings"},
        {"protocol_label", e.label},
        {"tasks", e.tasks == RatingTasks::users ? "users" : "items"},
        {"folds", e.folds},
        {"seed", e.seed},
        {"contexts", e.contexts},
        {"baseline", e.baseline},
        {"users", {{"old_items", e.n_users[0]}, {"new_items", e.n_users[1]}}},
        {"queries", {{"old_items", e.n_queries[0]}, {"new_items", e.n_queries[1]}}},
        {"train_ratings", e.n_train_ratings},
        {"notes", e.notes},
        {"rows", json::array()},
    };
    for (const auto& row : e.rows) {
        json item{
            {"learner", row.name},
            {"fit_seconds", row.fit_seconds},
            {"ask_seconds", row.ask_seconds}
        };
        for (std::size_t age = 0; age < age_names.size(); ++age) {
            for (std::size_t c = 0; c < e.contexts.size(); ++c) {
                auto cell = cell_json(e, row.cells.at(age)[c]);
                cell["items"] = age_names.at(age);
                cell["context"] = e.contexts[c];
                item["cells"].push_back(std::move(cell));
            }
        }
        result["rows"].push_back(std::move(item));
    }
    return result;
}

}  // namespace hg::app
