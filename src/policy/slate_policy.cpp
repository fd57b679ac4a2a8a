// SPDX-License-Identifier: Apache-2.0
#include "policy/slate_policy.hpp"

#include <fmt/format.h>

namespace hg::policy {

std::string to_text(const SlatePolicy& policy) {
    std::string text{PlackettLuce{policy.options}.version()};
    if (policy.knobs != Knobs{}) {
        text += '+';
        text += to_text(policy.knobs);
    }
    if (!policy.chosen_by.empty()) {
        text += fmt::format("+by({})", policy.chosen_by);
    }
    return text;
}

std::optional<SlatePolicy> parse_slate_policy(std::string_view text) {
    SlatePolicy policy;
    constexpr std::string_view by = ")+by(";
    if (const auto at = text.find(by); at != std::string_view::npos) {
        const auto version = text.substr(at + by.size());
        if (version.size() < 2 || version.find(')') != version.size() - 1) {
            return std::nullopt;
        }
        policy.chosen_by = version.substr(0, version.size() - 1);
        text = text.substr(0, at + 1);
    }
    const auto plus = text.find(")+");
    const auto options =
        parse_plackett_luce(plus == std::string_view::npos ? text : text.substr(0, plus + 1));
    if (!options) {
        return std::nullopt;
    }
    policy.options = *options;
    if (plus != std::string_view::npos) {
        const auto knobs = parse_knobs(text.substr(plus + 2));
        if (!knobs) {
            return std::nullopt;
        }
        policy.knobs = *knobs;
    }
    return policy;
}

}  // namespace hg::policy
