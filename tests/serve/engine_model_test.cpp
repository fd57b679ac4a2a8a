// SPDX-License-Identifier: Apache-2.0
// Whatever is done in whatever order, the engine knows of every user exactly what was acknowledged
// and not forgotten, and never shows what was seen, hidden or unknown: compared with plain maps,
// over reloads and restarts.
#include "core/rng.hpp"
#include "engine_world.hpp"
#include "support/effort.hpp"

#include <map>
#include <set>

namespace hg::serve {
namespace {

using testing_support::effort;

class EngineModel : public EngineTest {
  protected:
    void step(Rng& rng) {
        const auto choice = rng.below(1000);
        if (choice < 500) {
            append_one(rng);
        } else if (choice < 560) {
            forget_one(rng);
        } else if (choice < 960) {
            check_slate(rng);
        } else if (choice < 980) {
            hide_or_put(rng);
        } else if (choice < 990) {
            erase_one(rng);
        } else if (choice < 999) {
            publish("gaussian");
        } else {
            open();
        }
    }

    void check_all() {
        for (const auto& [name, events] : events_) {
            check_user(name);
        }
    }

  private:
    static std::string name(Rng& rng) { return fmt::format("person{}", rng.below(9)); }

    std::string item(Rng& rng) const {
        return dataset->items.name(static_cast<std::uint32_t>(rng.below(dataset->items.size())));
    }

    void append_one(Rng& rng) {
        const auto user_id = name(rng);
        const auto item_id = item(rng);
        const auto id = fmt::format("e{}", ++n_sent_);
        const auto answer = append(event(id, user_id, item_id));
        ASSERT_EQ(answer[0]["status"], "stored");
        events_[user_id][id] = item_id;
        if (rng.below(4) == 0) {  // the answer got lost, and the client asks again
            ASSERT_EQ(append(event(id, user_id, item_id))[0]["status"], "duplicate");
        }
    }

    void forget_one(Rng& rng) {
        const auto user_id = name(rng);
        auto& known = events_[user_id];
        if (known.empty()) {
            return;
        }
        const auto at =
            std::next(known.begin(), static_cast<std::ptrdiff_t>(rng.below(known.size())));
        forget(user_id, at->first);
        known.erase(at);
    }

    void hide_or_put(Rng& rng) {
        const auto id = item(rng);
        if (hidden_.contains(id)) {
            wait([&](auto done) { engine->put_item(id, {{"title", "Back"}}, std::move(done)); });
            hidden_.erase(id);
        } else if (hidden_.size() < 5) {
            wait([&](auto done) { engine->delete_item(id, std::move(done)); });
            hidden_.insert(id);
        }
    }

    void erase_one(Rng& rng) {
        const auto user_id = name(rng);
        if (events_[user_id].empty()) {
            return;
        }
        wait([&](auto done) { engine->delete_user(user_id, std::move(done)); });
        events_[user_id].clear();
    }

    void check_slate(Rng& rng) {
        const auto user_id = name(rng);
        std::set<std::string> seen;
        for (const auto& [id, item_id] : events_[user_id]) {
            seen.insert(item_id);
        }
        const auto shown = ids(fmt::format(R"({{"user_id": "{}", "k": 100}})", user_id));
        const std::set<std::string> distinct{shown.begin(), shown.end()};
        std::set<std::string> may_be_shown;
        for (const auto& id : dataset->items.names()) {
            if (!seen.contains(id) && !hidden_.contains(id)) {
                may_be_shown.insert(id);
            }
        }
        ASSERT_EQ(distinct.size(), shown.size());
        ASSERT_EQ(distinct, may_be_shown) << user_id;
        if (rng.below(10) == 0) {
            check_user(user_id);
        }
    }

    void check_user(const std::string& user_id) {
        if (events_[user_id].empty()) {
            return;
        }
        std::map<std::string, std::string> known;
        const auto told = value_or_throw(engine->user(user_id, 1'000'000));
        for (const auto& row : told["events"]) {
            known[row["event_id"]] = row["item_id"];
        }
        ASSERT_EQ(known, events_[user_id]) << user_id;
        ASSERT_EQ(told["events"].size(), known.size());
    }

    std::map<std::string, std::map<std::string, std::string>> events_;  // user -> event -> item
    std::set<std::string> hidden_;
    int n_sent_ = 0;
};

TEST_F(EngineModel, knows_what_a_map_knows_over_random_operations_reloads_and_restarts) {
    const auto seed = effort("HG_RANDOM_SEED", 20240607);
    SCOPED_TRACE(fmt::format("HG_RANDOM_SEED={}", seed));
    Rng rng{seed};
    const auto operations = effort("HG_ENGINE_OPERATIONS", 2000);
    for (std::size_t i = 0; i < operations && !HasFatalFailure(); ++i) {
        step(rng);
    }
    check_all();
}

}  // namespace
}  // namespace hg::serve
