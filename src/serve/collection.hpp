// SPDX-License-Identifier: Apache-2.0
// collection: what a share of random slots costs in clicks, and how long until a question is decided.
//
// Read from our own impressions, with their propensities: what a slot earns as shown, and what it
// would earn were it drawn uniformly from the candidates (self-normalised inverse propensity; Swaminathan
// and Joachims, NIPS 2015). Both are told whether data collection is on or off: off, they are the offer.
//
// The question is that of a gate's record that held (its data_request says how many random slots it
// needs); without one, the hardest: a candidate that always shows something else than we do.
//
//   CollectionReport report{{.gate_record = "decisions/...-hold.json"}};
//   report.json(store, policy, is_click, now);
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "data/event_store.hpp"
#include "policy/plackett_luce.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace hg::serve {

struct CollectionOptions {
    std::filesystem::path gate_record{};  // a decision record of `honeyguide gate`; empty = none
    std::size_t max_slates = 2000;        // the last ones are looked at
    TimeMs refresh = 10'000;              // figures may be this old
};

/// Clicks per slot, as shown and as if drawn at random.
struct SlotValue {
    double shown = 0;
    double random = 0;
    double standard_error = 0;  // of shown - random
    double slots_per_day = 0;   // 0 = too short a time to say
    std::size_t n_slots = 0;
};

/// Nothing when there are no slots.
[[nodiscard]] std::optional<SlotValue> slot_value(
    std::span<const data::SlotOutcome> slots, TimeMs now
);

class CollectionReport {
  public:
    /// Throws Error when there is a record and it does not say what data it needs.
    explicit CollectionReport(CollectionOptions options);

    /// Thread-safe.
    [[nodiscard]] Result<nlohmann::json> json(
        const data::EventStore& store,
        const policy::PlackettLuceOptions& policy,
        const data::EventStore::IsClick& is_click,
        TimeMs now
    );

  private:
    struct Question {
        std::string text;
        double decisions = 0;
    };

    CollectionOptions options_;
    std::optional<Question> question_;  // of the record
    std::mutex mutex_;
    TimeMs made_ = 0;
    nlohmann::json report_;
};

}  // namespace hg::serve
