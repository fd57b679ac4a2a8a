// SPDX-License-Identifier: Apache-2.0
#include "policy/slate_policy.hpp"

namespace hg::policy {

std::string to_text(const SlatePolicy& policy) {
    std::string text{PlackettLuce{policy.options}.version()};
    return policy.knobs == Knobs{} ? text : text + "+" + to_text(policy.knobs);
}

std::optional<SlatePolicy> parse_slate_policy(std::string_view text) {
    const auto plus = text.find(")+");
    const auto options =
        parse_plackett_luce(plus == std::string_view::npos ? text : text.substr(0, plus + 1));
    if (!options) {
        return std::nullopt;
    }
    if (plus == std::string_view::npos) {
        return SlatePolicy{.options = *options};
    }
    const auto knobs = parse_knobs(text.substr(plus + 2));
    return knobs ? std::optional{SlatePolicy{.options = *options, .knobs = *knobs}} : std::nullopt;
}

}  // namespace hg::policy
