// SPDX-License-Identifier: Apache-2.0
// What a person may change of what we think of them: knobs, wishes, and which events count. Each is
// an acknowledged write: answered after the commit, and the next slate knows it.
#include "serve/engine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

namespace hg::serve {
namespace {

Error no_event(const std::string& id, const std::string& event_id) {
    return {
        ErrorCode::not_found,
        fmt::format("user \"{}\" has no event \"{}\"", id, event_id),
        "GET /v1/users/{id} lists them with their event_id",
    };
}

Result<void> check_wish(const Snapshot& snapshot, const TraitWish& wish) {
    const auto* const field = snapshot.trait_field(wish.field);
    if (field == nullptr) {
        std::vector<std::string> names;
        for (const auto& known : snapshot.trait_fields) {
            names.push_back(known.name);
        }
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("traits: the catalogue has no category field \"{}\"", wish.field),
            fmt::format("fields with traits: {}", fmt::join(names, ", "))
        );
    }
    if (std::ranges::find(field->vocabulary, wish.name) == field->vocabulary.end()) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("traits: no item has {} = \"{}\"", wish.field, wish.name),
            fmt::format(
                "known are: {}{}",
                fmt::join(field->vocabulary | std::views::take(10), ", "),
                field->vocabulary.size() > 10 ? ", ..." : ""
            )
        );
    }
    return {};
}

}  // namespace

void Engine::change_settings(
    const std::string& id, const std::function<void(UserSettings&)>& change, Done<void> done
) {
    const std::scoped_lock lock{settings_mutex_};
    store_.flush();  // an earlier change that is on its way must be in what we read
    const auto stored = store_.user_settings(id);
    if (!stored) {
        return done(std::unexpected(stored.error()));
    }
    auto settings = parse_settings(*stored);
    change(settings);
    store_.put_user_settings(
        id,
        settings.text(),
        clock_.now(),
        [this, id, done = std::move(done)](const Result<void>& kept) {
            sessions_.forget(id);
            done(kept);
        }
    );
}

void Engine::put_knobs(const std::string& id, const KnobEdits& edits, Done<void> done) {
    change_settings(
        id, [&edits](UserSettings& settings) { settings.knobs = edits; }, std::move(done)
    );
}

void Engine::put_wishes(const std::string& id, std::vector<TraitWish> wishes, Done<void> done) {
    const auto snapshot = snapshot_.get();
    for (const auto& wish : wishes) {
        if (auto known = check_wish(*snapshot, wish); !known) {
            return done(std::move(known));
        }
    }
    change_settings(
        id,
        [&wishes](UserSettings& settings) { settings.wishes = std::move(wishes); },
        std::move(done)
    );
}

void Engine::forget_event(const std::string& id, const std::string& event_id, Done<void> done) {
    if (const auto index = dataset_event_index(event_id)) {
        return forget_dataset_event(id, *index, std::move(done));
    }
    store_.delete_event(
        id,
        event_id,
        [this, id, event_id, done = std::move(done)](const Result<std::optional<std::string>>& item
        ) {
            if (!item) {
                return done(std::unexpected(item.error()));
            }
            if (!*item) {
                return done(std::unexpected(no_event(id, event_id)));
            }
            items_.count(items_.intern(**item), -1);
            sessions_.forget(id);
            done({});
        }
    );
}

void Engine::forget_dataset_event(const std::string& id, std::size_t index, Done<void> done) {
    const auto is_erased = store_.is_erased(id);
    if (!is_erased) {
        return done(std::unexpected(is_erased.error()));
    }
    const auto user = dataset_->users.find(id);
    if (!user || *is_erased || *user >= dataset_->log.n_users() ||
        index >= dataset_->log.history(UserId{*user}).size()) {
        return done(std::unexpected(no_event(id, dataset_event_id(index))));
    }
    const auto item = dataset_->log.history(UserId{*user}).items[index];
    const ForgottenEvent event{.index = index, .item_id = dataset_->items.name(item.value)};
    change_settings(
        id,
        [&event](UserSettings& settings) {
            if (!settings.is_forgotten(event.index, event.item_id)) {
                settings.forgotten.push_back(event);
            }
        },
        std::move(done)
    );
}

}  // namespace hg::serve
