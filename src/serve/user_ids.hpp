// SPDX-License-Identifier: Apache-2.0
// UserIds: the id under which a user is known here: what was sent, with e-mail addresses hashed under
// the key of the dataset, before anything is answered or stored (docs/formats/addresses.md).
//
// Without a key addresses are refused. Const-safe.
#pragma once

#include "core/error.hpp"
#include "data/pseudonyms.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

namespace hg::serve {

class UserIds {
  public:
    explicit UserIds(std::optional<data::Pseudonyms> pseudonyms);

    [[nodiscard]] Result<std::string> stored(const std::string& sent) const;
    /// The texts of a user's fields likewise.
    [[nodiscard]] Result<nlohmann::json> stored_fields(nlohmann::json fields) const;

  private:
    std::optional<data::Pseudonyms> pseudonyms_;
};

}  // namespace hg::serve
