// SPDX-License-Identifier: Apache-2.0
#include "data/split.hpp"

#include "core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace hg::data {
namespace {

/// Where an event goes: learned from at once, learned from after validation, or never.
enum class Part : std::uint8_t { train, validation, test };

/// Distinct items of the positive events for which `is_target` holds.
template <typename IsTarget>
std::vector<ItemId> targets_of(
    const History& history, const History& context, Repeats repeats, const IsTarget& is_target
) {
    std::vector<ItemId> targets;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (!is_target(i) || history.weight(i) <= 0) {
            continue;
        }
        const auto item = history.items[i];
        const bool is_repeat = repeats == Repeats::drop &&
                               std::ranges::find(context.items, item) != context.items.end();
        if (!is_repeat && std::ranges::find(targets, item) == targets.end()) {
            targets.push_back(item);
        }
    }
    return targets;
}

void add_case(
    std::vector<EvaluationCase>& cases,
    UserId user,
    const History& context,
    std::vector<ItemId> targets
) {
    if (!targets.empty()) {
        cases.push_back({user, context, std::move(targets)});
    }
}

/// The last positive event before `end` that leaves at least one event of context.
std::optional<std::size_t> last_positive(const History& history, std::size_t end) {
    for (auto i = end; i > 1; --i) {
        if (history.weight(i - 1) > 0) {
            return i - 1;
        }
    }
    return std::nullopt;
}

Error bad_shares(double test, double validation) {
    return {
        ErrorCode::invalid_argument,
        fmt::format(
            "test {} and validation {} are not shares that leave something to train on",
            test,
            validation
        ),
        "use shares in [0, 1) whose sum is below 1",
    };
}

bool are_shares(double test, double validation) {
    return test >= 0 && validation >= 0 && test + validation < 1;
}

}  // namespace

Split leave_one_out(const InteractionLog& log, const LeaveOneOutOptions& options) {
    Split split;
    split.log = log;
    std::vector<std::size_t> train_end(log.n_users());
    std::vector<std::size_t> full_end(log.n_users());
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        train_end[u] = full_end[u] = history.size();
        if (history.size() < options.min_events) {
            continue;
        }
        const auto hold_out = [&](std::size_t at, std::vector<EvaluationCase>& cases) {
            const auto context = history.head(at);
            auto targets =
                targets_of(history, context, options.repeats, [at](auto i) { return i == at; });
            add_case(cases, UserId{u}, context, std::move(targets));
        };
        const auto test = last_positive(history, history.size());
        if (!test) {
            continue;
        }
        train_end[u] = full_end[u] = *test;
        hold_out(*test, split.test);
        if (const auto validation = last_positive(history, *test)) {
            train_end[u] = *validation;
            hold_out(*validation, split.validation);
        }
    }
    split.train =
        log.filter([&](UserId user, std::size_t i) { return i < train_end[user.index()]; });
    split.train_full =
        log.filter([&](UserId user, std::size_t i) { return i < full_end[user.index()]; });
    return split;
}

Result<Split> ratio_split(const InteractionLog& log, const RatioOptions& options) {
    if (!are_shares(options.test, options.validation)) {
        return std::unexpected(bad_shares(options.test, options.validation));
    }
    const auto offsets = log.columns().user_offsets;
    std::vector<Part> parts(log.size(), Part::train);
    const auto streams = Rng{options.seed}.split("ratio_split");
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto n = log.history(UserId{u}).size();
        if (n < 2) {
            continue;
        }
        auto rng = streams.split(u);
        std::vector<std::size_t> order(n);
        std::iota(order.begin(), order.end(), std::size_t{0});
        rng.shuffle(std::span{order});
        const auto share = [n](double part) {
            return static_cast<std::size_t>(std::llround(static_cast<double>(n) * part));
        };
        const auto n_test = std::min(share(options.test), n - 1);
        const auto n_validation = std::min(share(options.validation), n - 1 - n_test);
        for (std::size_t i = 0; i < n_test + n_validation; ++i) {
            const auto event = static_cast<std::size_t>(offsets[u]) + order[i];
            parts[event] = i < n_test ? Part::test : Part::validation;
        }
    }
    const auto part = [&](UserId user, std::size_t i) {
        return parts[static_cast<std::size_t>(offsets[user.index()]) + i];
    };
    Split split;
    split.log = log;
    split.train =
        log.filter([&](UserId user, std::size_t i) { return part(user, i) == Part::train; });
    split.train_full =
        log.filter([&](UserId user, std::size_t i) { return part(user, i) != Part::test; });
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const UserId user{u};
        const auto history = log.history(user);
        const auto add = [&](Part wanted, const History& context, std::vector<EvaluationCase>& cases
                         ) {
            auto targets = targets_of(history, context, options.repeats, [&](auto i) {
                return part(user, i) == wanted;
            });
            add_case(cases, user, context, std::move(targets));
        };
        add(Part::validation, split.train.history(user), split.validation);
        add(Part::test, split.train_full.history(user), split.test);
    }
    return split;
}

Result<Split> time_split(
    const InteractionLog& log, TimeKind time_kind, const TimeOptions& options
) {
    if (!are_shares(options.test, options.validation)) {
        return std::unexpected(bad_shares(options.test, options.validation));
    }
    if (time_kind != TimeKind::real) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "a time split needs real times; this dataset has {}",
                time_kind == TimeKind::order ? "only an order (timestamps are positions)" : "none"
            ),
            "use leave-one-out or ratio, or set time = \"real\" in dataset.toml if the numbers are "
            "dates"
        );
    }
    std::vector<TimeMs> times{log.columns().times.begin(), log.columns().times.end()};
    std::ranges::sort(times);
    const auto moment = [&](double share_behind) {
        const auto kept = std::floor(static_cast<double>(times.size()) * (1 - share_behind));
        const auto index = std::min(static_cast<std::size_t>(kept), times.size() - 1);
        return share_behind > 0 ? times[index] : times.back() + 1;
    };
    if (times.empty() || times.front() == times.back()) {
        return fail(
            ErrorCode::invalid_argument,
            "a time split needs events at different times",
            "use leave-one-out or ratio"
        );
    }
    const auto test_from = moment(options.test);
    const auto validation_from =
        options.validation > 0 ? std::min(moment(options.test + options.validation), test_from)
                               : test_from;
    Split split;
    split.log = log;
    const auto before = [&](TimeMs cut) {
        return log.filter([&, cut](UserId user, std::size_t i) {
            return log.history(user).times[i] < cut;
        });
    };
    split.train = before(validation_from);
    split.train_full = before(test_from);
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        const auto& at = history.times;
        const auto add =
            [&](TimeMs from, std::optional<TimeMs> to, std::vector<EvaluationCase>& cases) {
                const auto first =
                    static_cast<std::size_t>(std::ranges::lower_bound(at, from) - at.begin());
                const auto context = history.head(first);
                auto targets = targets_of(history, context, options.repeats, [&](auto i) {
                    return i >= first && (!to || at[i] < *to);
                });
                add_case(cases, UserId{u}, context, std::move(targets));
            };
        if (validation_from < test_from) {
            add(validation_from, test_from, split.validation);
        }
        add(test_from, std::nullopt, split.test);
    }
    return split;
}

Result<Split> user_hold_out(const InteractionLog& log, const HoldOutOptions& options) {
    if (options.folds < 2 || options.fold >= options.folds || !are_shares(0, options.validation)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format(
                "fold {} of {} with validation {} cannot be held out",
                options.fold,
                options.folds,
                options.validation
            ),
            "use at least 2 folds, a fold below their number and a share in [0, 1)"
        );
    }
    std::vector<std::uint32_t> order(log.n_users());
    std::iota(order.begin(), order.end(), 0U);
    Rng{options.seed}.split("user_hold_out").shuffle(std::span{order});
    std::vector<Part> parts(log.n_users(), Part::train);
    std::vector<std::uint32_t> others;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i % options.folds == options.fold) {
            parts[order[i]] = Part::test;
        } else {
            others.push_back(order[i]);
        }
    }
    // A stream of its own per fold: validation users must not follow from the fold's position.
    Rng{options.seed}.split("validation_users").split(options.fold).shuffle(std::span{others});
    const auto n_validation = std::llround(static_cast<double>(others.size()) * options.validation);
    for (const auto user : std::span{others}.first(static_cast<std::size_t>(n_validation))) {
        parts[user] = Part::validation;
    }
    Split split;
    split.log = log;
    split.train =
        log.filter([&](UserId user, std::size_t) { return parts[user.index()] == Part::train; });
    split.train_full =
        log.filter([&](UserId user, std::size_t) { return parts[user.index()] != Part::test; });
    const auto min_events = options.min_events == 0 ? options.context + 1 : options.min_events;
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        if (parts[u] == Part::train || history.size() < min_events) {
            continue;
        }
        const auto context = history.head(options.context);
        auto targets = targets_of(history, context, options.repeats, [&](auto i) {
            return i >= context.size();
        });
        if (options.targets > 0 && targets.size() > options.targets) {
            targets.resize(options.targets);
        }
        add_case(
            parts[u] == Part::test ? split.test : split.validation,
            UserId{u},
            context,
            std::move(targets)
        );
    }
    return split;
}

}  // namespace hg::data
