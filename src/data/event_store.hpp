// SPDX-License-Identifier: Apache-2.0
// EventStore: what the server must not forget: users, items, events, impressions.
//
// Writes are asynchronous: `done` is called once, on the store's own thread, after the change is
// durable (or with the error); so many callers share one commit. Impressions are the exception:
// nobody waits for them. They gather for 200 ms after the first and are committed at most 64 at a
// time; an event that answers one of them takes them all along into its commit. A crash may lose
// those of the last 200 ms, and more where the disk does not keep up. Reads see every write that
// was acknowledged before them. All ids are the strings people use; field data is opaque here.
// Thread-safe. One object serves one tenant.
//
//   store.append_events(std::move(batch), arrival, [](auto outcome) { reply(outcome); });
//   auto last = store.last_events("u1", 50, now);
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

/// An event as it arrived. The same event_id with the same body is a duplicate, with another a
/// conflict.
struct NewEvent {
    std::string event_id{};
    std::string user_id{};
    std::string item_id{};
    std::string event{};
    std::optional<double> value{};
    std::optional<TimeMs> timestamp{};  // none: the arrival time
    std::string recommendation_id{};    // empty: not an answer to a slate
    std::optional<std::int64_t> position{};
    std::string context{};  // JSON text, canonical; empty = none
};

struct StoredEvent {
    std::int64_t sequence = 0;  // order of arrival, strictly growing, never reused
    TimeMs timestamp = 0;
    NewEvent body;
};

enum class EventStatus : std::uint8_t { stored, duplicate, conflict };

[[nodiscard]] std::string_view to_string(EventStatus status) noexcept;

struct EventOutcome {
    EventStatus status = EventStatus::stored;
    std::int64_t sequence = 0;  // of the stored event (of the earlier one for a duplicate)
};

struct ItemRecord {
    std::string item_id;
    std::string fields;  // JSON object
    TimeMs created = 0;
    TimeMs updated = 0;
    std::int64_t n_events = 0;
    bool is_stub = false;     // known from an event only
    bool is_deleted = false;  // not to be shown; its events stay
};

struct UserRecord {
    std::string user_id;
    std::string fields;  // JSON object
    TimeMs created = 0;
    TimeMs updated = 0;
};

/// One slot shown, with the probability of showing it there given the slots above and the
/// candidates.
struct ImpressionSlot {
    std::string item_id;
    double score = 0;
    double propensity = 1;
    bool is_explored = false;  // not among the best k of the ranker: shown to learn
};

struct Impression {
    std::string recommendation_id{};
    std::string user_id{};  // empty: an anonymous history
    TimeMs time = 0;
    std::string model{};          // the run
    std::string policy{};         // version of the policy, with its temperature and epsilon
    std::string candidate_set{};  // id: a digest of `candidates`
    std::string candidates{};     // JSON: [[item_id, score], ...], best first
    std::string context{};        // JSON object or empty
    double propensity = 1;        // product over the slots
    bool is_deterministic = false;
    std::vector<ImpressionSlot> slots{};
    std::string masks{};  // JSON: the request's exclude, filter and seen; empty = none given
    std::optional<std::int64_t> last_event{};  // sequence of the last event it was made from
    std::string wishes{};  // JSON: settings of the user that changed the scores; empty = none
};

/// What became of one slot shown, for the figures of data collection.
struct SlotOutcome {
    TimeMs time = 0;
    double propensity = 1;
    double uniform = 0;  // what a draw among the candidates left would have given it
    bool is_clicked = false;
};

struct StoreCounts {
    std::int64_t users = 0;
    std::int64_t items = 0;
    std::int64_t events = 0;
    std::int64_t impressions = 0;
};

struct EventTypeCount {
    std::string event;
    std::int64_t n_events = 0;
};

class EventStore {
  public:
    template <typename T>
    using Done = std::function<void(Result<T>)>;

    /// The item of every event of an erased user; nothing = nothing was there.
    using Erased = std::optional<std::vector<std::string>>;

    /// By the name of an event.
    using IsClick = std::function<bool(std::string_view)>;

    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    static constexpr TimeMs forever = std::numeric_limits<TimeMs>::max();

    EventStore() = default;
    EventStore(const EventStore&) = delete;
    EventStore& operator=(const EventStore&) = delete;
    EventStore(EventStore&&) = delete;
    EventStore& operator=(EventStore&&) = delete;
    virtual ~EventStore() = default;

    /// One outcome per event, in order. Unknown users and items get stubs.
    virtual void append_events(
        std::vector<NewEvent> events, TimeMs arrival, Done<std::vector<EventOutcome>> done
    ) = 0;
    /// Creates or replaces; revives a deleted item.
    virtual void put_item(std::string item_id, std::string fields, TimeMs now, Done<void> done) = 0;
    /// Hides it from slates and keeps its fields, by which decisions of before are judged; false = it
    /// was not there, and a tombstone is left (it may be in a dataset).
    virtual void delete_item(std::string item_id, TimeMs now, Done<bool> done) = 0;
    virtual void put_user(std::string user_id, std::string fields, TimeMs now, Done<void> done) = 0;
    /// Erases the user's row, events and impressions; the counts of the items fall. Leaves a
    /// tombstone (a digest of the id), so that a history in a dataset is not used again either. Slates made until `now` whose
    /// impressions come later are not kept; those of a user who comes back are.
    virtual void delete_user(std::string user_id, TimeMs now, Done<Erased> done) = 0;
    /// What the user asked of us beside fields (opaque here); empty removes it.
    virtual void put_user_settings(
        std::string user_id, std::string settings, TimeMs now, Done<void> done
    ) = 0;
    /// Forgets one event of a user and says which item it was on; nothing = there was none. The
    /// item's count falls.
    virtual void delete_event(
        std::string user_id, std::string event_id, Done<std::optional<std::string>> done
    ) = 0;
    /// Committed with others, in about 200 ms (see above); dropped when the queue is full.
    virtual void log_impression(Impression impression) = 0;
    /// Waits until everything handed over so far is durable. For shutdown and tests.
    virtual void flush() = 0;

    /// Up to `limit` events with timestamp <= until, the last ones by (timestamp, arrival), oldest
    /// first.
    [[nodiscard]] virtual Result<std::vector<StoredEvent>> last_events(
        std::string_view user_id, std::size_t limit, TimeMs until
    ) const = 0;
    [[nodiscard]] virtual Result<std::optional<ItemRecord>> item(std::string_view item_id
    ) const = 0;
    /// Every item the store knows, by id.
    [[nodiscard]] virtual Result<std::vector<ItemRecord>> items() const = 0;
    /// Items with most events first.
    [[nodiscard]] virtual Result<std::vector<ItemRecord>> popular(std::size_t limit) const = 0;
    /// Items put last first; no stubs.
    [[nodiscard]] virtual Result<std::vector<ItemRecord>> latest(std::size_t limit) const = 0;
    [[nodiscard]] virtual Result<std::optional<UserRecord>> user(std::string_view user_id
    ) const = 0;
    [[nodiscard]] virtual Result<bool> is_erased(std::string_view user_id) const = 0;
    [[nodiscard]] virtual Result<std::optional<Impression>> impression(
        std::string_view recommendation_id
    ) const = 0;
    /// Empty: none.
    [[nodiscard]] virtual Result<std::string> user_settings(std::string_view user_id) const = 0;
    /// The slots of the last `limit` slates, newest slate first. Clicked = such an event
    /// came back with the slate's id on that item.
    [[nodiscard]] virtual Result<std::vector<SlotOutcome>> slot_outcomes(
        std::size_t limit, const IsClick& is_click
    ) const = 0;
    [[nodiscard]] virtual Result<StoreCounts> counts() const = 0;
    [[nodiscard]] virtual Result<std::vector<EventTypeCount>> events_by_type() const = 0;
};

/// Two events with equal bodies have equal digests (32 hex digits).
[[nodiscard]] std::string body_digest(const NewEvent& event);

}  // namespace hg::data
