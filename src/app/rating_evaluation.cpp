// SPDX-License-Identifier: Apache-2.0
#include "app/rating_evaluation.hpp"

#include "core/clock.hpp"
#include "encode/fields.hpp"
#include "encode/pca.hpp"
#include "encode/vector_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace hg::app {
namespace {

using policy::TaskEvents;

constexpr std::array ages{RatedItem::known, RatedItem::fresh};
constexpr std::size_t attribute_columns = 32;
constexpr std::size_t encoder_columns = 16;

std::size_t index_of(RatedItem age) {
    return static_cast<std::size_t>(age);
}

/// Per user of one cell, in the order of the trials.
struct Errors {
    std::vector<double> absolute;
    std::vector<double> square;
    std::vector<std::size_t> fold;
};

/// All cells of one row: [age][k].
using RowErrors = std::array<std::vector<Errors>, 2>;

const TaskEvents& queries_of(const RatingUser& user, RatedItem age) {
    return age == RatedItem::known ? user.old_items : user.new_items;
}

/// Events [from, to) of a support.
policy::EventsView slice(const TaskEvents& task, std::size_t from, std::size_t to) {
    const auto all = task.view();
    return {
        .inputs = all.inputs.rows_slice(from, to - from),
        .offsets = all.offsets.subspan(from, to - from),
        .targets = all.targets.subspan(from, to - from),
    };
}

void ask(
    const policy::MetaLearner& learner,
    const policy::TaskBelief& belief,
    const RatingTrial& trial,
    const TaskEvents& queries,
    std::size_t fold,
    Errors& errors
) {
    std::vector<float> answers(queries.size());
    learner.predict(belief, queries.queries(), answers);
    const auto targets = queries.view().targets;
    double absolute = 0;
    double square = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!std::isfinite(answers[i])) {
            throw Error{
                ErrorCode::internal,
                "a prediction is not a number",
                "lower the learner's inner_rate or learning_rate",
            };
        }
        const double answer = std::clamp(answers[i], trial.lowest, trial.highest);
        const double error = answer - static_cast<double>(targets[i]);
        absolute += std::abs(error);
        square += error * error;
    }
    const auto n = static_cast<double>(answers.size());
    errors.absolute.push_back(absolute / n);
    errors.square.push_back(square / n);
    errors.fold.push_back(fold);
}

/// A user's events arrive one k after the other, as they would at serving time.
void ask_users(
    const policy::MetaLearner& learner,
    const RatingTrial& trial,
    std::span<const std::size_t> contexts,
    std::size_t fold,
    RowErrors& errors
) {
    for (const auto& user : trial.users) {
        auto belief = learner.start();
        for (std::size_t c = 0; c < contexts.size(); ++c) {
            learner.adapt(belief, slice(user.support, belief.n_events, contexts[c]));
            for (const auto age : ages) {
                if (const auto& queries = queries_of(user, age); queries.size() > 0) {
                    ask(learner, belief, trial, queries, fold, errors[index_of(age)][c]);
                }
            }
        }
    }
}

void run_row(
    const RatingContender& contender,
    const RatingTrial& trial,
    const RatingProtocol& protocol,
    std::size_t fold,
    const Work& work,
    RatingRow& row,
    RowErrors& errors
) {
    const Rng rng = Rng{trial.seed}.split(contender.entry->name);
    const auto learner =
        contender.entry->make(trial.n_inputs, contender.settings, rng.split("make"));
    const Stopwatch fitting;
    learner->fit(trial.tasks, {rng.split("fit"), work.progress, work.stop});
    if (work.stop.stop_requested()) {
        throw Error{ErrorCode::interrupted, "stopped by request", ""};
    }
    row.fit_seconds += fitting.seconds();
    const Stopwatch asking;
    ask_users(*learner, trial, protocol.contexts, fold, errors);
    row.ask_seconds += asking.seconds();
}

double mean(std::span<const double> values) {
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::size_t folds_better(const Errors& row, const Errors& baseline, std::size_t n_folds) {
    std::vector<double> gains(n_folds);
    for (std::size_t i = 0; i < row.absolute.size(); ++i) {
        gains[row.fold[i]] += baseline.absolute[i] - row.absolute[i];
    }
    return static_cast<std::size_t>(std::ranges::count_if(gains, [](double gain) {
        return gain > 0;
    }));
}

RatingCell cell_of(const Errors& row, const Errors* baseline, std::size_t n_folds, const Rng& rng) {
    RatingCell cell{.mae = mean(row.absolute), .rmse = std::sqrt(mean(row.square))};
    if (baseline != nullptr && !row.absolute.empty()) {
        cell.mae_difference =
            evaluate::paired_difference(row.absolute, baseline->absolute, rng.split("absolute"));
        cell.square_difference =
            evaluate::paired_difference(row.square, baseline->square, rng.split("square"));
        cell.folds_better = folds_better(row, *baseline, n_folds);
    }
    return cell;
}

/// Holm over the rows of one cell, the baseline left out.
void correct_p_values(RatingEvaluation& evaluation, std::size_t age, std::size_t context) {
    std::vector<double> p_values;
    std::vector<RatingCell*> cells;
    for (auto& row : evaluation.rows) {
        if (row.name != evaluation.baseline) {
            cells.push_back(&row.cells[age][context]);
            p_values.push_back(cells.back()->mae_difference.p_value);
        }
    }
    const auto corrected = evaluate::holm(p_values);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i]->p_holm = corrected[i];
    }
}

void summarise(
    RatingEvaluation& evaluation, const std::vector<RowErrors>& errors, std::uint64_t seed
) {
    const auto found = std::ranges::find(evaluation.rows, evaluation.baseline, &RatingRow::name);
    const auto* baseline = found == evaluation.rows.end()
                               ? nullptr
                               : &errors[static_cast<std::size_t>(found - evaluation.rows.begin())];
    for (const auto age : ages) {
        const auto a = index_of(age);
        for (std::size_t c = 0; c < evaluation.contexts.size(); ++c) {
            for (std::size_t r = 0; r < evaluation.rows.size(); ++r) {
                evaluation.rows[r].cells[a].push_back(cell_of(
                    errors[r][a][c],
                    baseline == nullptr ? nullptr : &(*baseline)[a][c],
                    evaluation.folds,
                    Rng{seed}.split("bootstrap")
                ));
            }
            if (baseline != nullptr) {
                correct_p_values(evaluation, a, c);
            }
        }
    }
}

void count(RatingEvaluation& evaluation, const RatingTrial& trial) {
    for (const auto& user : trial.users) {
        for (const auto age : ages) {
            const auto n = queries_of(user, age).size();
            evaluation.n_users[index_of(age)] += n > 0 ? 1 : 0;
            evaluation.n_queries[index_of(age)] += n;
        }
    }
}

/// Vectors of an encoder, where they are on disk: attributes are made here anyway.
std::optional<encode::ItemVectors> encoder_vectors(
    const data::Dataset& dataset,
    const std::filesystem::path& dataset_folder,
    std::string_view choice,
    const Work& work
) {
    if (choice != "auto") {
        return encode::content_for(dataset, dataset_folder, choice, work.progress, work.stop);
    }
    for (const std::string_view encoder : {"fused", "text"}) {
        if (std::filesystem::exists(encode::vectors_folder(dataset_folder, encoder))) {
            return encode::content_for(dataset, dataset_folder, encoder, work.progress, work.stop);
        }
    }
    return {};
}

void append_columns(Matrix<float>& to, MatrixView<const float> columns) {
    Matrix<float> wider(to.rows(), to.cols() + columns.cols());
    for (std::size_t i = 0; i < to.rows(); ++i) {
        const auto after = std::ranges::copy(to.row(i), wider.row(i).begin()).out;
        std::ranges::copy(columns.row(i), after);
    }
    to = std::move(wider);
}

}  // namespace

std::vector<RatingContender> rating_contenders(
    std::span<const std::string> names, std::string_view baseline, const Settings& settings
) {
    for (const auto& name : names) {
        (void)policy::find_meta_learner(name);
    }
    for (const auto& [key, value] : settings.values()) {
        const auto prefix = key.substr(0, key.find('.'));
        // The environment may serve other verbs.
        if (prefix != "items" && !value.origin.starts_with("HG_SET_")) {
            (void)policy::find_meta_learner(prefix);
        }
    }
    std::vector<RatingContender> contenders;
    for (const auto* entry : policy::meta_learners()) {
        const bool is_named = std::ranges::find(names, entry->name) != names.end();
        if (names.empty() || is_named || entry->name == baseline) {
            contenders.push_back({.entry = entry, .settings = settings.section(entry->name)});
        }
    }
    return contenders;
}

Matrix<float> rating_content(
    const data::Dataset& dataset,
    const std::filesystem::path& dataset_folder,
    std::string_view choice,
    const Work& work
) {
    Matrix<float> content(dataset.items.size(), 0);
    if (choice == "none") {
        return content;
    }
    encode::FieldsOptions options;
    options.dim = attribute_columns;
    bool has_attributes = false;
    for (const auto& field : dataset.item_fields.fields()) {
        const bool is_text =
            field.kind == data::FieldKind::text || field.kind == data::FieldKind::link;
        if (is_text) {
            options.skip.push_back(field.name);
        }
        has_attributes = has_attributes || !is_text;
    }
    if (has_attributes) {
        const auto encoder =
            encode::FieldsEncoder::learn(dataset.item_fields, options, Rng{1}.split("attributes"));
        const auto vectors = encoder->represent(dataset.item_fields, work.progress, work.stop);
        append_columns(content, vectors.vectors.view());
    }
    if (choice == "attributes") {
        return content;
    }
    const auto encoded = encoder_vectors(dataset, dataset_folder, choice, work);
    if (encoded && encoded->encoder != "fields") {
        const auto pca =
            encode::fit_pca(encoded->vectors.view(), encoder_columns, Rng{1}.split("encoder"));
        Matrix<float> columns(content.rows(), pca.dim());
        pca.project(encoded->vectors.view(), columns.view());
        append_columns(content, columns.view());
    }
    return content;
}

RatingEvaluation evaluate_ratings(
    const data::Dataset& dataset,
    MatrixView<const float> content,
    const RatingProtocol& protocol,
    std::span<const RatingContender> contenders,
    std::string_view baseline,
    RatingTasks tasks,
    const Work& work
) {
    const bool of_users = tasks == RatingTasks::users;
    RatingEvaluation evaluation{
        .dataset = dataset.name,
        .dataset_hash = dataset.hash,
        .tasks = tasks,
        .label = fmt::format(
            "ratings, {} folds over {} never trained on, {:.0f} % of the {} new{}",
            protocol.folds,
            of_users ? "users" : "items",
            100 * protocol.new_item_share,
            of_users ? "items" : "users",
            protocol.part == Part::validation ? ", validation part" : ""
        ),
        .baseline = std::string{baseline},
        .contexts = protocol.contexts,
        .folds = protocol.folds,
        .seed = protocol.seed,
    };
    std::vector<RowErrors> errors(contenders.size());
    for (std::size_t r = 0; r < contenders.size(); ++r) {
        evaluation.rows.push_back({.name = std::string{contenders[r].entry->name}});
        for (auto& cells : errors[r]) {
            cells.resize(protocol.contexts.size());
        }
    }
    std::size_t n_too_short = 0;
    for (std::size_t fold = 0; fold < protocol.folds; ++fold) {
        const auto trial = make_rating_trial(dataset, content, protocol, fold);
        n_too_short += trial.n_too_short;
        evaluation.n_train_ratings = fold == 0 ? trial.n_train_ratings : evaluation.n_train_ratings;
        count(evaluation, trial);
        for (std::size_t r = 0; r < contenders.size(); ++r) {
            run_row(contenders[r], trial, protocol, fold, work, evaluation.rows[r], errors[r]);
        }
    }
    if (n_too_short > 0) {
        evaluation.notes.push_back(fmt::format(
            "{} {} have no rating {} after their first {} and were not asked",
            n_too_short,
            of_users ? "users" : "items",
            of_users ? "of an old item" : "by an old user",
            protocol.contexts.back()
        ));
    }
    summarise(evaluation, errors, protocol.seed);
    return evaluation;
}

}  // namespace hg::app
