// SPDX-License-Identifier: Apache-2.0
// The cards of the report below each table: the verdict in words, few-shot curve, intervals,
// segments, scatter.
//
// Each returns a <figure>, or nothing where the evaluation has nothing to draw.
//
//   html += words_figure(e) + curve_figure(e, colours);
#pragma once

#include "app/evaluation.hpp"

#include <map>
#include <string>

namespace hg::app {

/// A model keeps its colour through the whole report; grey is the baseline's.
using Colours = std::map<std::string, std::size_t>;

[[nodiscard]] std::string percent_text(double share);

/// What the table says, for a reader who does not read tables.
[[nodiscard]] std::string words_figure(const Evaluation& e);
[[nodiscard]] std::string curve_figure(const Evaluation& e, const Colours& colours);
[[nodiscard]] std::string differences_figure(const Evaluation& e, const Colours& colours);
[[nodiscard]] std::string segments_figure(const Evaluation& e, const Colours& colours);
[[nodiscard]] std::string popularity_figure(const Evaluation& e, const Colours& colours);

}  // namespace hg::app
