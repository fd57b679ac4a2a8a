// SPDX-License-Identifier: Apache-2.0
// UserSettings: what a person asked of us about their own recommendations: knobs, wishes ("more
// Comedy, no Horror"), and events of the dataset's history to be forgotten.
//
// One JSON text per user in the store; written whole, acknowledged when durable. Empty settings are
// no row, so a reset leaves nothing behind.
//
//   auto settings = parse_settings(text);   settings.wishes = ...;   store(settings.text());
#pragma once

#include "core/error.hpp"
#include "policy/knobs.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::serve {

/// Knobs somebody set by hand; what is absent stays with the policy.
struct KnobEdits {
    std::optional<double> exploration{};
    std::optional<double> novelty{};
    std::optional<double> content{};
    std::optional<double> diversity{};

    [[nodiscard]] bool empty() const noexcept {
        return !exploration && !novelty && !content && !diversity;
    }

    [[nodiscard]] policy::Knobs over(const policy::Knobs& chosen) const noexcept;
};

/// More (> 0) or less (< 0) of the items with this value of a category field.
struct TraitWish {
    std::string field;
    std::string name;
    double preference = 0;  // in standard deviations of the user's scores
};

/// An event of the dataset: the index in the user's history there, and its item as a check.
struct ForgottenEvent {
    std::size_t index = 0;
    std::string item_id;
};

struct UserSettings {
    KnobEdits knobs{};
    std::vector<TraitWish> wishes{};
    std::vector<ForgottenEvent> forgotten{};

    [[nodiscard]] bool empty() const noexcept {
        return knobs.empty() && wishes.empty() && forgotten.empty();
    }

    /// JSON; empty when nothing is set.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool is_forgotten(std::size_t index, std::string_view item_id) const;
};

/// What nearly everybody has: one for all of them.
[[nodiscard]] const std::shared_ptr<const UserSettings>& no_settings();

/// Of what text() wrote; throws Error on anything else.
[[nodiscard]] UserSettings parse_settings(std::string_view text);

[[nodiscard]] nlohmann::json to_json(const policy::Knobs& knobs);
[[nodiscard]] nlohmann::json to_json(const std::vector<TraitWish>& wishes);

/// The body of PUT /v1/users/{id}/knobs.
[[nodiscard]] Result<KnobEdits> parse_knobs(std::string_view body);

/// The body of PUT /v1/users/{id}/traits; whether the catalogue has them is the caller's to check.
[[nodiscard]] Result<std::vector<TraitWish>> parse_wishes(std::string_view body);

/// "dataset:17": how an event of the dataset is named over HTTP; no other may be named so.
inline constexpr std::string_view dataset_prefix = "dataset:";
[[nodiscard]] std::string dataset_event_id(std::size_t index);
[[nodiscard]] std::optional<std::size_t> dataset_event_index(std::string_view event_id);

}  // namespace hg::serve
