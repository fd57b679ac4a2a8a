// SPDX-License-Identifier: Apache-2.0
// SearchSpace: which options `tune` may change, and to what.
//
//   learning_rate=1e-4..1e-2:log      a range, drawn evenly in the logarithm
//   dropout=0.1..0.5                  a range
//   dim=32,64,128                     one of these words
//
// A point has one number per dimension: 0..1 along a range, the index of a word. What a model reads
// is its text.
#pragma once

#include "core/options.hpp"
#include "core/rng.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

struct SearchDimension {
    std::string name;
    double low = 0;
    double high = 0;
    bool is_log = false;
    bool is_integer = false;
    std::vector<std::string> words{};  // not empty: one of these, and no range

    [[nodiscard]] bool is_range() const noexcept { return words.empty(); }

    /// `value`: of a point.
    [[nodiscard]] std::string text(double value) const;
    [[nodiscard]] double draw(Rng& rng) const;
};

using SearchSpace = std::vector<SearchDimension>;
using SearchPoint = std::vector<double>;

/// Throws Error with what was expected.
[[nodiscard]] SearchDimension parse_dimension(std::string_view text);

/// Throws Error where a model with these options would refuse an end of a range or a word; makes
/// ranges of whole numbers where the option is one.
void check_against(SearchSpace& space, DescribeOptions describe, const Settings& fixed);

/// `fixed` with the point's values added.
[[nodiscard]] Settings settings_at(
    const SearchSpace& space, const SearchPoint& point, const Settings& fixed
);

/// "learning_rate=0.001 dim=64"
[[nodiscard]] std::string point_text(const SearchSpace& space, const SearchPoint& point);

}  // namespace hg::app
