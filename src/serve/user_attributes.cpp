// SPDX-License-Identifier: Apache-2.0
#include "serve/user_attributes.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace hg::serve {
namespace {

nlohmann::json dataset_fields(const data::Dataset& dataset, std::string_view user_id) {
    auto fields = nlohmann::json::object();
    const auto user = dataset.users.find(user_id);
    if (!user) {
        return fields;
    }
    for (const auto& field : dataset.user_fields.fields()) {
        if (*user < field.present.size() && field.present[*user] != 0) {
            fields[field.name] = field.text(*user);
        }
    }
    return fields;
}

}  // namespace

nlohmann::json fields_of_user(
    const data::Dataset& dataset,
    std::string_view user_id,
    DatasetHistory dataset_history,
    const std::string& put
) {
    auto fields = dataset_history == DatasetHistory::include ? dataset_fields(dataset, user_id)
                                                             : nlohmann::json::object();
    if (!put.empty()) {
        fields.update(nlohmann::json::parse(put));
    }
    return fields;
}

data::Attributes attributes_of(const nlohmann::json& fields) {
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& [name, value] : fields.items()) {
        if (value.is_string()) {
            texts.emplace_back(name, value.get<std::string>());
        } else if (value.is_number()) {
            texts.emplace_back(name, fmt::format("{}", value.get<float>()));
        } else if (value.is_boolean()) {
            texts.emplace_back(name, value.get<bool>() ? "true" : "false");
        }
    }
    return data::Attributes{std::move(texts)};
}

}  // namespace hg::serve
