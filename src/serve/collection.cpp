// SPDX-License-Identifier: Apache-2.0
#include "serve/collection.hpp"

#include "core/file.hpp"
#include "evaluate/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::serve {
namespace {

constexpr double offered_share = 0.02;  // what collecting would cost, while it is off
constexpr TimeMs shortest_span = 60'000;
constexpr double ms_per_day = 86'400'000;

nlohmann::json number_or_null(double value, bool is_known) {
    return is_known ? nlohmann::json(value) : nlohmann::json(nullptr);
}

}  // namespace

std::optional<SlotValue> slot_value(std::span<const data::SlotOutcome> slots, TimeMs now) {
    if (slots.empty()) {
        return std::nullopt;
    }
    SlotValue value{.n_slots = slots.size()};
    const auto n = static_cast<double>(slots.size());
    double weights = 0;
    TimeMs oldest = now;
    for (const auto& slot : slots) {
        const double reward = slot.is_clicked ? 1 : 0;
        const double weight = slot.uniform / slot.propensity;
        value.shown += reward / n;
        value.random += weight * reward;
        weights += weight;
        oldest = std::min(oldest, slot.time);
    }
    value.random = weights > 0 ? value.random / weights : 0;
    double squares = 0;
    for (const auto& slot : slots) {
        const double reward = slot.is_clicked ? 1 : 0;
        const double weight = weights > 0 ? slot.uniform / slot.propensity * n / weights : 0;
        squares += std::pow(reward - value.shown - weight * (reward - value.random), 2);
    }
    value.standard_error = std::sqrt(squares) / n;
    if (now - oldest >= shortest_span) {
        value.slots_per_day = n * ms_per_day / static_cast<double>(now - oldest);
    }
    return value;
}

CollectionReport::CollectionReport(CollectionOptions options) : options_(std::move(options)) {
    if (options_.gate_record.empty()) {
        return;
    }
    const auto record = nlohmann::json::parse(
        value_or_throw(read_file(options_.gate_record)), nullptr, /*allow_exceptions=*/false
    );
    const auto request =
        record.is_object() ? record.value("data_request", nlohmann::json{}) : nlohmann::json{};
    if (!request.is_object() || !request.value("decisions", nlohmann::json{}).is_number()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: does not say what data it needs", options_.gate_record.string()),
            "give the record of a `honeyguide gate` that held for want of support or data",
        };
    }
    const auto candidate = record.value("candidate", nlohmann::json{});
    question_ = {
        .text = fmt::format(
            "the gate's: is {} not worse?",
            candidate.is_string() ? candidate.get<std::string>() : std::string{"the candidate"}
        ),
        .decisions = request.at("decisions").get<double>(),
    };
}

Result<nlohmann::json> CollectionReport::json(
    const data::EventStore& store,
    const policy::PlackettLuceOptions& policy,
    const data::EventStore::IsClick& is_click,
    TimeMs now
) {
    const std::scoped_lock lock{mutex_};
    if (!report_.is_null() && now - made_ < options_.refresh && now >= made_) {
        return report_;
    }
    HG_TRY(const auto slots, store.slot_outcomes(options_.max_slates, is_click));
    const auto value = slot_value(slots, now).value_or(SlotValue{});
    const double share = policy.random_share > 0 ? policy.random_share : offered_share;
    const bool has_clicks = value.shown > 0;
    const bool has_traffic = value.slots_per_day > 0;
    const double random_per_day = share * value.slots_per_day;
    const evaluate::GateOptions gate;
    auto question = question_;
    if (!question && has_clicks) {
        // A slot on which both policies differ has (reward / (1 / n))^2 for each, were it random.
        const double n = static_cast<double>(policy.random_candidates);
        const double variance = 2 * n * value.shown * (1 - value.shown);
        question = {
            .text = fmt::format(
                "is a candidate that always shows something else not more than {:.0f} % worse?",
                100 * gate.margin
            ),
            .decisions = evaluate::decisions_to_tell(variance, gate.margin * value.shown, gate),
        };
    }
    constexpr double two_sided_95 = 1.96;
    const double loss = value.shown - value.random;
    made_ = now;
    report_ = {
        {"is_on", policy.random_share > 0},
        {"random_share", share},
        {"random_candidates", policy.random_candidates},
        {"slots", value.n_slots},
        {"slots_per_day", number_or_null(value.slots_per_day, has_traffic)},
        {"clicks_per_slot", number_or_null(value.shown, value.n_slots > 0)},
        {"clicks_per_random_slot", number_or_null(value.random, has_clicks)},
        {"clicks_lost_per_day", number_or_null(random_per_day * loss, has_clicks && has_traffic)},
        {"clicks_lost_per_day_95",
         number_or_null(
             random_per_day * two_sided_95 * value.standard_error, has_clicks && has_traffic
         )},
        {"question", question ? nlohmann::json(question->text) : nlohmann::json(nullptr)},
        {"random_slots_needed",
         number_or_null(question ? question->decisions : 0, question.has_value())},
        {"days",
         number_or_null(
             question && has_traffic ? question->decisions / random_per_day : 0,
             question && has_traffic
         )},
    };
    return report_;
}

}  // namespace hg::serve
