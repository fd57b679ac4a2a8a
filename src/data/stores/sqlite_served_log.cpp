// SPDX-License-Identifier: Apache-2.0
#include "core/digest.hpp"
#include "data/event_weights.hpp"
#include "data/served_log.hpp"
#include "data/stores/sqlite_schema.hpp"
#include "data/stores/sqlite_statements.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace hg::data {
namespace {

constexpr std::size_t max_history = 200;  // items of a decision's history that are logged

std::int64_t count(const SqliteDatabase& database, const char* sql, const std::string& tenant) {
    SqliteStatement statement{database, sql};
    statement.bind(1, tenant);
    return statement.step() ? statement.integer(0) : 0;
}

std::unordered_set<std::string> erased_users(
    const SqliteDatabase& database, const std::string& tenant
) {
    SqliteStatement statement{database, "SELECT user_digest FROM erased_users WHERE tenant = ?"};
    statement.bind(1, tenant);
    std::unordered_set<std::string> digests;
    while (statement.step()) {
        digests.insert(statement.text(0));
    }
    return digests;
}

/// What the decision was made from besides the user's history in the dataset.
struct Moment {
    const std::string& recommendation_id;
    TimeMs time = 0;
    std::optional<std::int64_t> last_event{};
};

bool was_known(const StoredEvent& event, const Moment& moment) {
    if (event.timestamp > moment.time) {
        return false;
    }
    return moment.last_event ? event.sequence <= *moment.last_event
                             : event.body.recommendation_id != moment.recommendation_id;
}

class ServedLogReader {
  public:
    ServedLogReader(
        const SqliteDatabase& database, const Dataset& dataset, const ServedLogOptions& options
    )
        : database_(database),
          dataset_(dataset),
          options_(options),
          weights_(dataset.event_types),
          reads_(database, options.tenant),
          erased_(erased_users(database, options.tenant)) {}

    Result<ServedLog> read() {
        served_.items = reads_.items();
        SqliteStatement statement{
            database_, impressions_where("WHERE tenant = ? ORDER BY user_id, sequence").c_str()
        };
        statement.bind(1, options_.tenant);
        while (statement.step()) {
            ++served_.counts.decisions;
            const auto impression = impression_row(statement);
            if (is_used(impression)) {
                if (auto added = add(impression); !added) {
                    return std::unexpected(std::move(added.error()));
                }
            }
        }
        served_.counts.foreign_answers = static_cast<std::size_t>(count(
            database_,
            "SELECT COUNT(*) FROM events e JOIN impressions i ON i.tenant = e.tenant AND"
            " i.recommendation_id = e.recommendation_id WHERE e.tenant = ? AND"
            " i.user_id <> '' AND i.user_id <> e.user_id",
            options_.tenant
        ));
        return std::move(served_);
    }

  private:
    bool is_used(const Impression& impression) {
        auto& counts = served_.counts;
        if (impression.time < options_.since) {
            ++counts.earlier;
        } else if (impression.user_id.empty()) {
            ++counts.anonymous;
        } else if (erased_.contains(digest_hex(impression.user_id))) {
            ++counts.erased;
        } else if (options_.now - options_.window < impression.time) {
            ++counts.young;
        } else if (impression.slots.empty()) {
            ++counts.empty;
        } else {
            return true;
        }
        return false;
    }

    /// The rows come by user: the user's events are read once.
    void turn_to(const std::string& user_id) {
        if (user_ == user_id) {
            return;
        }
        user_ = user_id;
        answers_.clear();
        served_.events.push_back(reads_.last_events(user_id, EventStore::all, EventStore::forever));
        const auto user = reads_.user(user_id);
        served_.user_fields.push_back(user ? user->fields : std::string{});
        served_.user_settings.push_back(reads_.user_settings(user_id));
        for (const auto& event : served_.events.back()) {
            if (!event.body.recommendation_id.empty()) {
                answers_[event.body.recommendation_id].push_back(&event);
            }
        }
    }

    Result<void> add(const Impression& impression) {
        turn_to(impression.user_id);
        auto row = row_of(impression);
        if (auto fine = check_impression(row, options_.purpose); !fine) {
            return fail(
                fine.error().code(),
                fmt::format(
                    "decision {} (served by {}): {}",
                    impression.recommendation_id,
                    row.policy,
                    fine.error().message()
                ),
                fine.error().hint()
            );
        }
        served_.counts.deterministic += row.deterministic ? 1 : 0;
        served_.run.push_back(impression.model);
        served_.version.push_back(impression.policy);
        served_.masks.push_back(impression.masks);
        served_.last_event.push_back(impression.last_event);
        served_.wishes.push_back(impression.wishes);
        served_.log.append(row);
        return {};
    }

    ImpressionRow row_of(const Impression& impression) {
        ImpressionRow row{
            .recommendation_id = impression.recommendation_id,
            .user_id = impression.user_id,
            .timestamp = impression.time,
            .policy = fmt::format("{} {}", impression.model, impression.policy),
            .deterministic = impression.is_deterministic,
            .propensity = impression.propensity,
            .reward = 0,
        };
        for (const auto& candidate : nlohmann::json::parse(impression.candidates)) {
            row.candidates.push_back(candidate.at(0).get<std::string>());
            served_.candidate_scores.push_back(candidate.at(1).get<float>());
        }
        for (const auto& slot : impression.slots) {
            row.slots.push_back({
                .item_id = slot.item_id,
                .propensity = slot.propensity,
                .reward = 0,
                .clicked = false,
            });
        }
        row.history = history_of(impression);
        reward(impression, row);
        return row;
    }

    std::vector<std::string> history_of(const Impression& impression) const {
        std::vector<std::string> items;
        const auto user = dataset_.users.find(impression.user_id);
        if (user && *user < dataset_.log.n_users()) {
            for (const auto item : dataset_.log.history(UserId{*user}).items) {
                items.push_back(dataset_.items.name(item.value));
            }
        }
        const Moment moment{impression.recommendation_id, impression.time, impression.last_event};
        for (const auto& event : served_.events.back()) {
            if (was_known(event, moment)) {
                items.push_back(event.body.item_id);
            }
        }
        const auto first = items.size() - std::min(items.size(), max_history);
        items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(first));
        return items;
    }

    void reward(const Impression& impression, ImpressionRow& row) {
        std::vector<std::set<std::string_view>> counted(row.slots.size());
        for (const auto* event : answers_[impression.recommendation_id]) {
            const auto slot =
                std::ranges::find(row.slots, event->body.item_id, &LoggedSlot::item_id);
            if (slot == row.slots.end()) {
                ++served_.counts.other_answers;
                continue;
            }
            // A clock of the user's that goes wrong may put an answer before its question.
            if (event->timestamp - impression.time > options_.window) {
                ++served_.counts.late_answers;
                continue;
            }
            ++served_.counts.answers;
            const auto place = static_cast<std::size_t>(slot - row.slots.begin());
            if (!counted[place].insert(event->body.event).second) {
                continue;
            }
            const double weight = weights_.weight(event->body.event);
            slot->reward += weight;
            slot->clicked = *slot->clicked || weight > 0;
            row.reward += weight;
        }
    }

    const SqliteDatabase& database_;
    const Dataset& dataset_;
    const ServedLogOptions& options_;
    EventWeights weights_;
    SqliteReads reads_;
    std::unordered_set<std::string> erased_;
    ServedLog served_;
    std::string user_;  // empty = none yet: anonymous ones are left out
    std::unordered_map<std::string, std::vector<const StoredEvent*>> answers_;
};

/// One state of the database for all reads, whatever a server writes meanwhile.
Result<ServedLog> read_at_once(
    SqliteDatabase& database, const Dataset& dataset, const ServedLogOptions& options
) {
    database.execute("PRAGMA query_only = ON");
    database.execute("BEGIN");
    if (const auto version = database.integer("PRAGMA user_version"); version != schema_version()) {
        return fail(
            ErrorCode::conflict,
            fmt::format("schema version {}, this program reads {}", version, schema_version()),
            version == 0 ? "is it the --db of honeyguide serve?"
                         : "start this program's server on it once: it brings it up to date"
        );
    }
    auto served = ServedLogReader{database, dataset, options}.read();
    database.execute("ROLLBACK");
    return served;
}

Error nothing_left(const ServedLogOptions& options, const ServedCounts& counts) {
    auto message = fmt::format(
        "none of its {} decisions can be used: {} before --since, {} anonymous, {} of erased "
        "users, {} empty, {} younger than the window of {} s",
        counts.decisions,
        counts.earlier,
        counts.anonymous,
        counts.erased,
        counts.empty,
        counts.young,
        options.window / 1000
    );
    auto hint = counts.young > 0 ? "wait until answers have come, or take a shorter --window"
                                 : "serve recommendations with user_id and send events that echo "
                                   "recommendation_id";
    return {ErrorCode::invalid_argument, std::move(message), hint};
}

}  // namespace

std::vector<const StoredEvent*> ServedLog::known_events(std::size_t decision) const {
    const Moment moment{
        log.recommendation_id.at(decision), log.timestamp[decision], last_event[decision]
    };
    std::vector<const StoredEvent*> known;
    for (const auto& event : events[log.user[decision]]) {
        if (was_known(event, moment)) {
            known.push_back(&event);
        }
    }
    return known;
}

bool is_database(const std::filesystem::path& path) {
    constexpr std::string_view magic{"SQLite format 3", 16};  // ended by a zero byte
    std::array<char, magic.size()> start{};
    std::ifstream file{path, std::ios::binary};
    file.read(start.data(), start.size());
    return file && std::string_view{start.data(), start.size()} == magic;
}

Result<ServedLog> read_served_log(
    const std::filesystem::path& path, const Dataset& dataset, const ServedLogOptions& options
) {
    const auto at = [&path](const Error& error) {
        return fail(
            error.code(), fmt::format("{}: {}", path.string(), error.message()), error.hint()
        );
    };
    if (!is_database(path)) {
        return at({ErrorCode::not_found, "is no database", "name the --db of honeyguide serve"});
    }
    try {
        SqliteDatabase database{path};
        auto served = read_at_once(database, dataset, options);
        if (!served) {
            return at(served.error());
        }
        if (served->log.size() == 0) {
            return at(nothing_left(options, served->counts));
        }
        return served;
    } catch (const Error& error) {
        return at(error);
    } catch (const nlohmann::json::exception& error) {
        return at(
            {ErrorCode::corrupt,
             fmt::format("an impression is damaged: {}", error.what()),
             "restore the database from a backup"}
        );
    }
}

}  // namespace hg::data
