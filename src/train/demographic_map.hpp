// SPDX-License-Identifier: Apache-2.0
// DemographicMap: from what is known of a user (gender, age, country) to the preference expected of
// them before the first event. The x_u of u = f(x_u, behaviour).
//
// Ridge regression of the preferences of training users on their fields: a word of a category is a
// column of 0 and 1, a number falls into one of eight bins; words of fewer than five users are left
// out. A field that is not known counts as the average user's, so that nobody known gets exactly
// everyone's mean. The penalty is chosen on users held out (train/content_map.hpp).
//
//   const auto map = fit_demographic_map(dataset.user_fields, space, rng);
//   std::vector<float> mean = map.mean_of(history);
#pragma once

#include "core/safetensors.hpp"
#include "data/catalogue.hpp"
#include "data/history.hpp"
#include "train/content_map.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hg::train {

class DemographicMap {
  public:
    struct Field {
        std::string name;
        std::vector<std::string> words;  // of a category; empty for a number
        std::vector<float> cuts;         // of a number, ascending: bin = how many are below it
        std::size_t first = 0;           // column of the first word or bin
    };

    DemographicMap() = default;
    DemographicMap(std::vector<Field> fields, std::vector<float> shares, ContentMap map);

    [[nodiscard]] bool empty() const noexcept { return map_.empty(); }

    /// [d]; nothing when none of the fields is known.
    [[nodiscard]] std::optional<std::vector<float>> mean_of(const data::History& history) const;

    /// Share of the variance of held-out users' preferences that their fields explain.
    [[nodiscard]] float explained() const noexcept { return map_.explained; }

    void save(SafetensorsWriter& weights, const std::string& prefix) const;
    /// Empty where the file has none. Throws Error when the parts do not fit.
    [[nodiscard]] static DemographicMap load(
        const SafetensorsFile& weights, const std::string& prefix, std::size_t dim
    );

  private:
    std::vector<Field> fields_;
    std::vector<float> shares_;  // [n_columns] of the training users, for what is not known
    ContentMap map_;
};

struct PreferenceSpace;

/// Throws Error{invalid_argument} where users have no field to learn from.
[[nodiscard]] DemographicMap fit_demographic_map(
    const data::Catalogue& users, const PreferenceSpace& space, Rng rng
);

}  // namespace hg::train
