// SPDX-License-Identifier: Apache-2.0
// SlatePolicy: how a server makes slates of scored candidates, as every impression names it: the
// Plackett-Luce policy and, where they are not all 0, the knobs in force for that user.
//
//   to_text({.options = {.epsilon = 0.05}, .knobs = {.exploration = 0.3}})
//   // "plackett_luce(epsilon=0.05,...)+knobs(exploration=0.3,...)"
//
// Knobs that a learned policy chose are followed by its version: "+by(meta@0123456789ab)".
#pragma once

#include "policy/knobs.hpp"
#include "policy/plackett_luce.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace hg::policy {

struct SlatePolicy {
    PlackettLuceOptions options{};
    Knobs knobs{};
    std::string chosen_by{};  // KnobPolicy::version()
};

[[nodiscard]] std::string to_text(const SlatePolicy& policy);

/// Of what to_text() wrote; every number is read again exactly. Nothing where it is another kind's.
[[nodiscard]] std::optional<SlatePolicy> parse_slate_policy(std::string_view text);

}  // namespace hg::policy
