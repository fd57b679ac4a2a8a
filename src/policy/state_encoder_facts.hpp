// SPDX-License-Identifier: Apache-2.0
// StateEncoderFacts: what state encoders there are, for those who do not run them (help, docs).
//
//   for (const auto& facts : state_encoder_facts()) { print(facts.name, facts.summary); }
#pragma once

#include <string_view>
#include <vector>

namespace hg::policy {

struct StateEncoderFacts {
    std::string_view name;
    std::string_view summary;
};

/// In the order of state_encoders/builtin.def.
[[nodiscard]] std::vector<StateEncoderFacts> state_encoder_facts();

}  // namespace hg::policy
