// SPDX-License-Identifier: Apache-2.0
// user_attributes: fields of a user, as JSON, as the attributes a model reads (data/attributes.hpp).
#pragma once

#include "data/attributes.hpp"
#include "data/dataset.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace hg::serve {

/// The fields the dataset has of this user, as JSON texts; an empty object for a stranger.
[[nodiscard]] nlohmann::json dataset_fields(const data::Dataset& dataset, std::string_view user_id);

/// Texts, numbers, true and false become attributes; lists and null do not. Numbers are written as
/// the dataset writes them.
[[nodiscard]] data::Attributes attributes_of(const nlohmann::json& fields);

}  // namespace hg::serve
