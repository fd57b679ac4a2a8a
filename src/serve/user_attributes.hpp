// SPDX-License-Identifier: Apache-2.0
// user_attributes: fields of a user, as JSON, as the attributes a model reads (data/attributes.hpp).
#pragma once

#include "data/attributes.hpp"
#include "data/dataset.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace hg::serve {

/// Whether what the dataset knows of a user counts: not after an erasure.
enum class DatasetHistory : bool { leave_out, include };

/// The dataset's fields, as JSON texts (none of a stranger), and over them what was put by HTTP (a JSON object; may be empty).
[[nodiscard]] nlohmann::json fields_of_user(
    const data::Dataset& dataset,
    std::string_view user_id,
    DatasetHistory dataset_history,
    const std::string& put
);

/// Texts, numbers, true and false become attributes; lists and null do not. Numbers are written as
/// the dataset writes them.
[[nodiscard]] data::Attributes attributes_of(const nlohmann::json& fields);

}  // namespace hg::serve
