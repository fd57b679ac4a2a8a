// SPDX-License-Identifier: Apache-2.0
#include "data/filter.hpp"

#include "data/raw_dataset.hpp"
#include "data/select_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <unordered_set>

namespace hg::data {
namespace {

constexpr auto dropped = std::numeric_limits<std::uint32_t>::max();

InteractionLog keep_users(const InteractionLog& log, const auto& is_kept) {
    return log.filter([&](UserId user, std::size_t) { return is_kept(log.history(user)); });
}

InteractionLog without_repeats(const InteractionLog& log, Dedup which) {
    std::vector<std::uint8_t> kept(log.size(), 0);
    std::unordered_set<std::uint64_t> seen;
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        const auto first = static_cast<std::size_t>(log.columns().user_offsets[u]);
        seen.clear();
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto at = which == Dedup::first ? i : history.size() - 1 - i;
            const auto key =
                (std::uint64_t{history.items[at].value} << 32U) | history.types[at].value;
            kept[first + at] = seen.insert(key).second ? 1 : 0;
        }
    }
    return log.filter([&](UserId user, std::size_t i) {
        return kept[static_cast<std::size_t>(log.columns().user_offsets[user.index()]) + i] != 0;
    });
}

InteractionLog core_of(InteractionLog log, std::size_t k) {
    for (;;) {
        const auto counts = log.events_per_item();
        auto next = log.filter([&](UserId user, std::size_t i) {
            const auto history = log.history(user);
            return history.size() >= k && counts[history.items[i].index()] >= k;
        });
        if (next.size() == log.size()) {
            return next;
        }
        log = std::move(next);
    }
}

/// Old id -> new id for those kept, in the old order.
struct Renumbering {
    std::vector<std::uint32_t> new_ids;
    std::vector<std::uint32_t> kept;

    template <typename IsKept>
    Renumbering(std::size_t count, const IsKept& is_kept) : new_ids(count, dropped) {
        for (std::uint32_t id = 0; id < count; ++id) {
            if (!is_kept(id)) {
                continue;
            }
            new_ids[id] = static_cast<std::uint32_t>(kept.size());
            kept.push_back(id);
        }
    }

    [[nodiscard]] bool drops_any() const { return kept.size() < new_ids.size(); }
};

IdMap names_of(const IdMap& ids, std::span<const std::uint32_t> kept) {
    IdMap out;
    for (const auto id : kept) {
        out.intern(ids.name(id));
    }
    return out;
}

InteractionLog renumbered(
    const InteractionLog& log, const Renumbering& users, const Renumbering& items
) {
    std::vector<Interaction> events;
    events.reserve(log.size());
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            events.push_back({
                .user = UserId{users.new_ids[u]},
                .item = ItemId{items.new_ids[history.items[i].index()]},
                .type = history.types[i],
                .weight = history.weights[i],
                .value = history.values[i],
                .time = history.times[i],
                .propensity = history.propensities[i],
                .session = history.sessions.empty() ? no_session : history.sessions[i],
            });
        }
    }
    return InteractionLog::from_events(std::move(events), users.kept.size(), items.kept.size());
}

}  // namespace

double bot_threshold(const InteractionLog& log) {
    constexpr double least = 100;
    constexpr double fences = 3;
    std::vector<double> activity;
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto n = log.history(UserId{u}).size();
        if (n > 0) {
            activity.push_back(std::log1p(static_cast<double>(n)));
        }
    }
    if (activity.empty()) {
        return least;
    }
    std::ranges::sort(activity);
    const auto quartile = [&](std::size_t q) { return activity[(activity.size() - 1) * q / 4]; };
    return std::max(least, std::expm1(quartile(3) + fences * (quartile(3) - quartile(1))));
}

Filtered filter_dataset(Dataset data, const FilterOptions& options) {
    Filtered out;
    const auto before = data.log;
    auto log = data.log;
    const auto step = [&](std::string name, InteractionLog next) {
        out.steps.push_back({std::move(name), log.size() - next.size()});
        log = std::move(next);
    };
    if (options.since || options.until) {
        step("time window", log.filter([&](UserId user, std::size_t i) {
            const auto time = log.history(user).times[i];
            return time >= options.since.value_or(time) &&
                   (!options.until || time < *options.until);
        }));
    }
    if (options.drop_bots) {
        const auto limit = bot_threshold(log);
        step("bots", keep_users(log, [limit](const History& h) {
                 return static_cast<double>(h.size()) <= limit;
             }));
    }
    if (options.dedup != Dedup::none) {
        step("repeats", without_repeats(log, options.dedup));
    }
    if (options.min_events > 0) {
        step("users with few events", keep_users(log, [&](const History& h) {
                 return h.size() >= options.min_events;
             }));
    }
    if (options.k_core > 0) {
        step("k-core", core_of(log, options.k_core));
    }
    const auto counts = log.events_per_item();
    const Renumbering users{data.users.size(), [&](std::uint32_t u) {
                                return before.history(UserId{u}).empty() ||
                                       !log.history(UserId{u}).empty();
                            }};
    const Renumbering items{data.items.size(), [&](std::uint32_t i) {
                                return options.k_core == 0 || counts[i] > 0;
                            }};
    out.users_dropped = data.users.size() - users.kept.size();
    out.items_dropped = data.items.size() - items.kept.size();
    if (users.drops_any() || items.drops_any()) {
        data.users = names_of(data.users, users.kept);
        data.items = names_of(data.items, items.kept);
        data.user_fields = select_rows(data.user_fields, users.kept);
        data.item_fields = select_rows(data.item_fields, items.kept);
        log = renumbered(log, users, items);
    }
    data.log = std::move(log);
    data.hash = content_hash(data);
    out.data = std::move(data);
    return out;
}

}  // namespace hg::data
