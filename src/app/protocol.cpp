// SPDX-License-Identifier: Apache-2.0
#include "app/protocol.hpp"

#include "core/error.hpp"
#include "core/nearest.hpp"
#include "core/rng.hpp"
#include "data/shuffled.hpp"
#include "data/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <unordered_set>

namespace hg::app {
namespace {

using data::Dataset;
constexpr double validation_share =
    0.1;  // of the events (ratio, time) or of the other users (few-shot)

constexpr std::array names{
    std::pair{ProtocolKind::leave_one_out, std::string_view{"leave-one-out"}},
    std::pair{ProtocolKind::ratio, std::string_view{"ratio"}},
    std::pair{ProtocolKind::time, std::string_view{"time"}},
    std::pair{ProtocolKind::few_shot, std::string_view{"few-shot"}},
    std::pair{ProtocolKind::queries, std::string_view{"queries"}},
};

bool masks_history(const Dataset& dataset, Repeats repeats) {
    switch (repeats) {
        case Repeats::mask:
            return true;
        case Repeats::allow:
            return false;
        case Repeats::as_dataset_says:
            return !dataset.repeats_count;
    }
    return true;
}

/// The cases of one part of a split and the log that may be learned from before they are asked.
Trial trial_of(data::Split split, Part part) {
    auto owner = std::make_shared<data::Split>(std::move(split));
    const bool is_test = part == Part::test;
    Trial trial{
        .train = is_test ? owner->train_full : owner->train, .queries = {}, .storage = owner
    };
    for (auto& asked : is_test ? owner->test : owner->validation) {
        trial.queries.push_back({
            .user = asked.user,
            .history = asked.context,
            .targets = asked.targets,
            .context = asked.context.size(),
        });
    }
    return trial;
}

/// Every case asked once per context length.
void ask_at_each_context(Trial& trial, const std::vector<std::size_t>& contexts) {
    std::vector<Query> queries;
    queries.reserve(trial.queries.size() * contexts.size());
    for (const auto& query : trial.queries) {
        for (const auto k : contexts) {
            queries.push_back(
                {.user = query.user,
                 .history = query.history.head(k),
                 .targets = query.targets,
                 .context = k,
                 .order = query.order}
            );
        }
    }
    trial.queries = std::move(queries);
}

data::InteractionLog in_random_order(const data::InteractionLog& log, Rng rng) {
    std::vector<data::Interaction> events;
    events.reserve(log.size());
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto buffer = data::shuffled(log.history(UserId{u}), rng);
        const auto history = buffer.view();
        for (std::size_t i = 0; i < history.size(); ++i) {
            events.push_back(
                {.user = UserId{u},
                 .item = history.items[i],
                 .type = history.types[i],
                 .weight = history.weight(i),
                 .value = history.values[i]}
            );
        }
    }
    return data::InteractionLog::from_events(std::move(events), log.n_users(), log.n_items());
}

/// The same folds asked in another order of each user's events: more questions, the same users.
void ask_in_random_order(
    Trial& trial, const data::InteractionLog& log, const data::HoldOutOptions& fold, Rng rng
) {
    auto again = trial_of(
        value_or_throw(data::user_hold_out(in_random_order(log, rng), fold)),
        fold.validation > 0 ? Part::validation : Part::test
    );
    const auto order = trial.queries.back().order + 1;
    for (auto& query : again.queries) {
        query.order = order;
        trial.queries.push_back(std::move(query));
    }
    using Owners = std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>;
    trial.storage = std::make_shared<Owners>(trial.storage, again.storage);
}

std::vector<Trial> few_shot(
    const Dataset& dataset, const ProtocolOptions& options, data::Repeats repeats
) {
    std::vector<Trial> trials;
    for (std::size_t fold = 0; fold < options.folds; ++fold) {
        const data::HoldOutOptions hold_out{
            .folds = options.folds,
            .fold = fold,
            .context = std::ranges::max(options.contexts),
            .targets = options.max_targets,
            .validation = options.part == Part::validation ? validation_share : 0,
            .seed = options.seed,
            .repeats = repeats,
        };
        auto split = value_or_throw(data::user_hold_out(dataset.log, hold_out));
        auto& trial = trials.emplace_back(trial_of(std::move(split), options.part));
        for (std::size_t order = 1; order < options.orders && !trial.queries.empty(); ++order) {
            ask_in_random_order(
                trial, dataset.log, hold_out, Rng{options.seed}.split("orders").split(order)
            );
        }
        ask_at_each_context(trial, options.contexts);
    }
    return trials;
}

std::vector<Trial> trials_of(
    const Dataset& dataset, const ProtocolOptions& options, data::Repeats repeats
) {
    // Without validation cases to ask, everything but the test part may be learned from.
    const double validation = options.part == Part::validation ? validation_share : 0;
    std::vector<Trial> trials;
    switch (options.kind) {
        case ProtocolKind::leave_one_out:
            trials.push_back(
                trial_of(data::leave_one_out(dataset.log, {.repeats = repeats}), options.part)
            );
            break;
        case ProtocolKind::ratio:
            trials.push_back(trial_of(
                value_or_throw(data::ratio_split(
                    dataset.log,
                    {.test = options.test_share,
                     .validation = validation,
                     .seed = options.seed,
                     .repeats = repeats}
                )),
                options.part
            ));
            break;
        case ProtocolKind::time:
            trials.push_back(trial_of(
                value_or_throw(data::time_split(
                    dataset.log,
                    dataset.time_kind,
                    {.test = options.test_share, .validation = validation, .repeats = repeats}
                )),
                options.part
            ));
            break;
        case ProtocolKind::few_shot:
            return few_shot(dataset, options, repeats);
        case ProtocolKind::queries:
            break;
    }
    return trials;
}

std::size_t n_users_of(std::span<const Trial> trials) {
    std::unordered_set<std::uint32_t> users;
    for (const auto& trial : trials) {
        for (const auto& query : trial.queries) {
            users.insert(query.user.value);
        }
    }
    return users.size();
}

std::vector<std::string> notes_of(
    const Dataset& dataset, std::span<const Trial> trials, bool is_masked
) {
    std::vector<std::string> notes;
    std::size_t n_active = 0;
    std::size_t n_repeats = 0;
    for (std::uint32_t u = 0; u < dataset.log.n_users(); ++u) {
        const auto history = dataset.log.history(UserId{u});
        n_active += history.empty() ? 0 : 1;
        const std::unordered_set<ItemId> distinct(history.items.begin(), history.items.end());
        n_repeats += history.size() - distinct.size();
    }
    if (const auto asked = n_users_of(trials); asked < n_active) {
        notes.push_back(fmt::format(
            "{} of {} users are not asked: too few events, or nothing new to find",
            n_active - asked,
            n_active
        ));
    }
    if (is_masked && n_repeats > 0) {
        notes.push_back(fmt::format(
            "{:.1f} % of the events repeat an item of the same user; history is masked, so they "
            "are no "
            "targets (--repeats allow counts them)",
            100 * static_cast<double>(n_repeats) / static_cast<double>(dataset.log.size())
        ));
    }
    return notes;
}

void keep_some_users(std::vector<Trial>& trials, std::size_t max_users, Rng rng) {
    std::vector<std::uint32_t> users;
    for (const auto& trial : trials) {
        for (const auto& query : trial.queries) {
            users.push_back(query.user.value);
        }
    }
    std::ranges::sort(users);
    const auto tail = std::ranges::unique(users);
    users.erase(tail.begin(), tail.end());
    if (max_users == 0 || users.size() <= max_users) {
        return;
    }
    rng.shuffle(std::span{users});
    const std::unordered_set<std::uint32_t> kept(
        users.begin(), users.begin() + static_cast<std::ptrdiff_t>(max_users)
    );
    for (auto& trial : trials) {
        std::erase_if(trial.queries, [&](const Query& query) {
            return !kept.contains(query.user.value);
        });
    }
}

std::string label_of(const ProtocolOptions& options, bool is_masked) {
    std::string what{to_string(options.kind)};
    switch (options.kind) {
        case ProtocolKind::leave_one_out:
        case ProtocolKind::queries:
            break;
        case ProtocolKind::ratio:
            what += fmt::format(
                " ({:.0f} % of each user's events, at random)", 100 * options.test_share
            );
            break;
        case ProtocolKind::time:
            what += fmt::format(" (the last {:.0f} % of the events)", 100 * options.test_share);
            break;
        case ProtocolKind::few_shot:
            what += fmt::format(" ({} folds over users never trained on)", options.folds);
            if (options.orders > 1) {
                what += fmt::format(", each asked in {} orders", options.orders);
            }
            break;
    }
    if (options.part == Part::validation) {
        what += ", validation part";
    }
    return what + (is_masked ? ", history masked" : ", repeats allowed");
}

void check_options(const Dataset& dataset, const ProtocolOptions& options) {
    const auto refuse = [](std::string found, std::string hint) {
        throw Error{ErrorCode::invalid_argument, std::move(found), std::move(hint)};
    };
    if (!(options.test_share > 0 && options.test_share < 1)) {
        refuse(
            fmt::format("the test share is {}", options.test_share), "use a number between 0 and 1"
        );
    }
    if (options.kind == ProtocolKind::few_shot && (options.folds < 2 || options.contexts.empty())) {
        refuse(
            "few-shot needs at least 2 folds and one context length",
            "e.g. --folds 5 --contexts 0,1,5"
        );
    }
    if (options.kind == ProtocolKind::few_shot && options.orders > 1 &&
        dataset.time_kind != data::TimeKind::none) {
        refuse(
            fmt::format("{}: the order of its events means something", dataset.name),
            "ask in that order: --orders 1"
        );
    }
    if (options.kind == ProtocolKind::queries) {
        refuse("queries come from a file", "use --queries FILE.jsonl");
    }
}

}  // namespace

std::string_view to_string(ProtocolKind kind) noexcept {
    for (const auto& [known, name] : names) {
        if (known == kind) {
            return name;
        }
    }
    return "?";
}

ProtocolKind parse_protocol(std::string_view name) {
    std::vector<std::string_view> known;
    for (const auto& [kind, text] : names) {
        if (kind == ProtocolKind::queries) {
            continue;
        }
        if (text == name) {
            return kind;
        }
        known.push_back(text);
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format("unknown protocol \"{}\"", name),
        suggest(name, known)
    };
}

std::size_t Protocol::n_queries() const noexcept {
    std::size_t n = 0;
    for (const auto& trial : trials) {
        n += trial.queries.size();
    }
    return n;
}

Protocol make_protocol(const Dataset& dataset, const ProtocolOptions& options) {
    check_options(dataset, options);
    Protocol protocol{
        .kind = options.kind,
        .part = options.part,
        .label = {},
        .masks_history = masks_history(dataset, options.repeats),
        .contexts = {},
        .trials = {},
        .notes = {},
    };
    protocol.label = label_of(options, protocol.masks_history);
    const auto repeats = protocol.masks_history ? data::Repeats::drop : data::Repeats::keep;
    protocol.trials = trials_of(dataset, options, repeats);
    if (options.kind == ProtocolKind::few_shot) {
        protocol.contexts = options.contexts;
    }
    protocol.notes = notes_of(dataset, protocol.trials, protocol.masks_history);
    keep_some_users(protocol.trials, options.max_users, Rng{options.seed}.split("users"));
    if (protocol.n_queries() == 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("dataset {}: {} leaves nobody to ask", dataset.name, protocol.label),
            "users need at least 3 events (leave-one-out), 2 (ratio), or events after the cut "
            "(time)",
        };
    }
    return protocol;
}

}  // namespace hg::app
