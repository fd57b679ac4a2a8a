// SPDX-License-Identifier: Apache-2.0
// EngineTest: a trained world with a database and an engine on it, opened as often as a test likes.
#pragma once

#include "core/progress.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "policy/slate_policy.hpp"
#include "serve/engine.hpp"
#include "serve/http/json_body.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace hg::serve {

using testing_support::TemporaryFolder;

inline data::Field groups_field(std::size_t n_items, std::size_t n_groups) {
    data::Field field{.name = "group", .kind = data::FieldKind::category};
    for (std::size_t g = 0; g < n_groups; ++g) {
        field.vocabulary.push_back(fmt::format("group{}", g));
    }
    field.code_offsets.push_back(0);
    for (std::size_t i = 0; i < n_items; ++i) {
        field.present.push_back(1);
        field.codes.push_back(static_cast<std::uint32_t>(i % n_groups));
        field.code_offsets.push_back(static_cast<std::int64_t>(i + 1));
    }
    return field;
}

inline data::Field title_field(std::size_t n_items) {
    data::Field field{.name = "title", .kind = data::FieldKind::text};
    for (std::size_t i = 0; i < n_items; ++i) {
        field.present.push_back(1);
        field.texts.push_back(fmt::format("Title {}", i));
    }
    return field;
}

class EngineTest : public ::testing::Test {
  protected:
    static constexpr TimeMs now = 1'700'000'000'000;

    void SetUp() override {
        auto world = testing_support::small_world(world_options);
        const auto n = world.dataset.items.size();
        world.dataset.item_fields =
            data::Catalogue{n, {title_field(n), groups_field(n, world.n_groups)}};
        const auto n_users = world.dataset.users.size();
        world.dataset.user_fields =
            data::Catalogue{n_users, {groups_field(n_users, world.n_groups)}};
        dataset = std::make_shared<const data::Dataset>(std::move(world.dataset));
        fit("gaussian");
        open();
    }

    /// Into a folder of that name, else of the model's.
    void fit(
        const std::string& model, const Settings& settings = {}, const std::string& name = {}
    ) {
        SilentProgress silent;
        train::fit_run(
            {.entry = train::find_model(model),
             .settings = settings,
             .dataset = *dataset,
             .folder = folder / (name.empty() ? model : name)},
            silent,
            {}
        );
    }

    void open() {
        engine.reset();
        store.reset();
        store = std::make_unique<data::SqliteEventStore>(
            data::SqliteStoreOptions{.file = folder / "events.db"}
        );
        engine = std::make_unique<Engine>(options, dataset, *store, clock);
        publish("gaussian");
    }

    void publish(const std::string& model) {
        SilentProgress silent;
        engine->publish(
            {.run = folder / model,
             .data = folder.path(),
             .retrieval = retrieval,
             .admit = [this](const auto& /*run*/) { return Admitted{.knobs = chooses_knobs}; }},
            silent,
            {}
        );
    }

    nlohmann::json recommend(const std::string& body) {
        return nlohmann::json::parse(
            value_or_throw(engine->recommend(value_or_throw(parse_recommend(body))))
        );
    }

    std::vector<std::string> ids(const std::string& body) {
        std::vector<std::string> out;
        const auto answer = recommend(body);
        for (const auto& row : answer["items"]) {
            out.push_back(row["item_id"]);
        }
        return out;
    }

    nlohmann::json append(const std::string& events) {
        std::promise<Result<nlohmann::json>> promise;
        engine->append(
            value_or_throw(parse_events(R"({"events": [)" + events + "]}")),
            [&promise](auto result) { promise.set_value(std::move(result)); }
        );
        return value_or_throw(promise.get_future().get())["results"];
    }

    static std::string event(
        const std::string& id,
        const std::string& user,
        const std::string& item,
        const std::string& more = ""
    ) {
        return fmt::format(
            R"({{"event_id": "{}", "user_id": "{}", "item_id": "{}", "event": "click"{}}})",
            id,
            user,
            item,
            more
        );
    }

    template <typename Call>
    void wait(Call call) {
        std::promise<Result<void>> promise;
        call([&promise](Result<void> result) { promise.set_value(std::move(result)); });
        value_or_throw(promise.get_future().get());
    }

    /// In force for a user, who need not be known.
    nlohmann::json user_knobs(const std::string& id) {
        wait([&](auto done) { engine->put_user(id, {{"group", "group0"}}, std::move(done)); });
        return user(id)["knobs"];
    }

    nlohmann::json user(const std::string& id) { return value_or_throw(engine->user(id, 100)); }

    /// Greedy slates, so that an order can be compared.
    void open_greedy(const policy::Knobs& knobs = {}) {
        options.policy = {.epsilon = 0, .temperature = 0};
        chooses_knobs = std::make_shared<policy::ConstantKnobs>(knobs);
        open();
    }

    void wish(const std::string& user_id, std::vector<TraitWish> wishes) {
        wait([&](auto done) { engine->put_wishes(user_id, std::move(wishes), done); });
    }

    void forget(const std::string& user_id, const std::string& event_id) {
        wait([&](auto done) { engine->forget_event(user_id, event_id, done); });
    }

    testing_support::SmallWorldOptions world_options;
    RetrievalOptions retrieval;
    EngineOptions options;
    std::shared_ptr<const policy::KnobPolicy> chooses_knobs =
        std::make_shared<policy::ConstantKnobs>();
    TemporaryFolder folder;
    ManualClock clock{now};
    std::shared_ptr<const data::Dataset> dataset;
    std::unique_ptr<data::SqliteEventStore> store;
    std::unique_ptr<Engine> engine;
};

/// Of the logged slots, from the logged candidates alone.
inline std::vector<double> propensities_again(const data::Impression& logged) {
    std::vector<Scored> candidates;
    std::vector<std::string> names;
    for (const auto& row : nlohmann::json::parse(logged.candidates)) {
        candidates.push_back({static_cast<std::uint32_t>(names.size()), row[1].get<float>()});
        names.push_back(row[0]);
    }
    std::vector<std::uint32_t> slots;
    for (const auto& slot : logged.slots) {
        slots.push_back(
            static_cast<std::uint32_t>(std::ranges::find(names, slot.item_id) - names.begin())
        );
    }
    return policy::PlackettLuce{{}}.propensities(candidates, slots);
}

inline bool has(const std::vector<std::string>& ids, const std::string& id) {
    return std::ranges::find(ids, id) != ids.end();
}

}  // namespace hg::serve
