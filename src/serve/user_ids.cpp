// SPDX-License-Identifier: Apache-2.0
#include "serve/user_ids.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace hg::serve {

UserIds::UserIds(std::optional<data::Pseudonyms> pseudonyms) : pseudonyms_(std::move(pseudonyms)) {}

Result<std::string> UserIds::stored(const std::string& sent) const {
    if (!data::find_address(sent)) {
        return sent;
    }
    if (!pseudonyms_) {
        return fail(
            ErrorCode::invalid_argument,
            "an e-mail address, and the dataset of this server has no key to hash it with",
            "send another id, or ingest the dataset again: that makes a key and keeps other ids"
        );
    }
    return pseudonyms_->hide(sent);
}

Result<nlohmann::json> UserIds::stored_fields(nlohmann::json fields) const {
    for (auto& field : fields) {
        if (field.is_string()) {
            HG_TRY(field, stored(field.get_ref<const std::string&>()));
        }
        if (!field.is_array()) {
            continue;
        }
        for (auto& word : field) {
            if (word.is_string()) {
                HG_TRY(word, stored(word.get_ref<const std::string&>()));
            }
        }
    }
    return fields;
}

}  // namespace hg::serve
