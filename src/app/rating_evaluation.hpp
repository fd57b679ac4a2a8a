// SPDX-License-Identifier: Apache-2.0
// rating_evaluation: meta-learners on the rating task: mean absolute error and root mean squared
// error after k ratings, for old and new items, with differences to a baseline paired per user.
//
// A user's error is the mean over the user's queries, a row's the mean over users (RMSE: the root
// of the mean over users of the mean square). Folds do not share test users, so users of all
// trials are resampled together; `folds_better` says in how many trials, each with its own seed, a
// row beat the baseline.
//
//   const auto rows = rating_contenders(names, "item_bias", settings);
//   const auto evaluation =
//       evaluate_ratings(dataset, content, protocol, rows, "item_bias", RatingTasks::users, work);
#pragma once

#include "app/protocol_run.hpp"
#include "app/rating_protocol.hpp"
#include "evaluate/significance.hpp"
#include "policy/meta/meta_learner.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

struct RatingContender {
    const policy::MetaLearnerEntry* entry = nullptr;  // borrowed
    Settings settings;
};

/// The named learners and the baseline, with the settings under their names ("anil.inner_steps=3");
/// all learners where none is named. Throws Error for a name or a key that is nobody's; "items."
/// keys are the protocol's.
[[nodiscard]] std::vector<RatingContender> rating_contenders(
    std::span<const std::string> names, std::string_view baseline, const Settings& settings
);

/// One k and one kind of item.
struct RatingCell {
    double mae = 0;
    double rmse = 0;
    evaluate::PairedDifference mae_difference{};  // to the baseline's, per user
    evaluate::PairedDifference square_difference{};
    double p_holm = 1;  // of mae_difference, over the rows of this cell
    std::size_t folds_better = 0;
};

enum class RatedItem : std::uint8_t { known, fresh };

/// Who is learned from a few ratings, and who is asked about: users about items, or items about
/// users.
enum class RatingTasks : std::uint8_t { users, items };

struct RatingRow {
    std::string name;
    double fit_seconds = 0;  // all trials
    double ask_seconds = 0;
    std::array<std::vector<RatingCell>, 2> cells{};  // by RatedItem, then k
};

struct RatingEvaluation {
    std::string dataset;
    std::string dataset_hash;
    RatingTasks tasks = RatingTasks::users;
    std::string label;
    std::string baseline;
    std::vector<std::size_t> contexts;
    std::size_t folds = 0;
    std::uint64_t seed = 0;
    std::array<std::size_t, 2> n_users{};    // asked about known and fresh items
    std::array<std::size_t, 2> n_queries{};  // ratings predicted, per k
    std::size_t n_train_ratings = 0;         // of the first trial
    std::vector<std::string> notes{};
    std::vector<RatingRow> rows{};
};

/// With RatingTasks::items the dataset is transposed (data/transposed.hpp), and "users" of the result
/// are items. Throws Error{interrupted} on a stop request.
[[nodiscard]] RatingEvaluation evaluate_ratings(
    const data::Dataset& dataset,
    MatrixView<const float> content,
    const RatingProtocol& protocol,
    std::span<const RatingContender> contenders,
    std::string_view baseline,
    RatingTasks tasks,
    const Work& work
);

/// What learners may know of items from the catalogue: attributes, and vectors of an encoder where
/// they are on disk. `choice` as encode::content_for; "none" gives no columns, "attributes" no
/// vectors.
[[nodiscard]] Matrix<float> rating_content(
    const data::Dataset& dataset,
    const std::filesystem::path& dataset_folder,
    std::string_view choice,
    const Work& work
);

[[nodiscard]] std::string to_text(const RatingEvaluation& evaluation);
[[nodiscard]] nlohmann::json to_json(const RatingEvaluation& evaluation);

}  // namespace hg::app
