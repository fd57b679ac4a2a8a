// SPDX-License-Identifier: Apache-2.0
#include "app/few_shot_curves.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::small_world;

/// A row whose answers are known: `value(query number)`.
template <typename Value>
Outcome row_of(const std::string& name, const Protocol& protocol, Value value) {
    Outcome outcome{.name = name};
    for (std::size_t i = 0; i < protocol.n_queries(); ++i) {
        outcome.accuracy.ndcg.push_back(value(i));
    }
    return outcome;
}

TEST(FewShotCurves, two_rows_are_compared_user_by_user) {
    const auto world = small_world();
    const auto protocol = make_protocol(
        world.dataset, {.kind = ProtocolKind::few_shot, .folds = 2, .contexts = {0, 2}}
    );
    const testing_support::TemporaryFolder folder;
    const std::vector<Outcome> outcomes{
        row_of("mine", protocol, [](std::size_t i) { return static_cast<double>(i) * .001 + .1; }),
        row_of("other", protocol, [](std::size_t i) { return static_cast<double>(i) * .001; }),
    };
    const auto curves = few_shot_curves(world.dataset, protocol, outcomes, 10);
    write_file_atomic(folder / "curves.json", curves.dump());

    const auto paired = read_paired_curves(folder / "curves.json", "mine", "other");

    EXPECT_THAT(paired.n_events, ElementsAre(0, 2));
    ASSERT_EQ(paired.differences.size(), 2U);
    EXPECT_EQ(paired.differences[1].size(), world.dataset.users.size());
    EXPECT_THAT(paired.differences[1], testing::Each(testing::DoubleNear(.1, 1e-12)));
    EXPECT_EQ(paired.worst_decile.size(), world.dataset.users.size() / 10);
    const auto swapped = read_paired_curves(folder / "curves.json", "other", "mine");
    EXPECT_THAT(swapped.worst_decile, testing::Each(testing::DoubleNear(-.1, 1e-12)));
}

TEST(FewShotCurves, a_value_stands_with_its_user_and_length) {
    const auto world = small_world();
    const auto protocol = make_protocol(
        world.dataset, {.kind = ProtocolKind::few_shot, .folds = 2, .contexts = {0, 2}}
    );
    const auto& query = protocol.trials[1].queries[3];
    const auto number = protocol.trials[0].queries.size() + 3;
    const std::vector<Outcome> outcomes{row_of("mine", protocol, [&](std::size_t i) {
        return i == number ? 1.0 : 0.0;
    })};

    const auto curves = few_shot_curves(world.dataset, protocol, outcomes, 10);

    const auto& values = curves.at("rows")[0].at("values");
    const std::size_t context = query.context == 0 ? 0 : 1;
    for (std::size_t u = 0; u < curves.at("users").size(); ++u) {
        const bool is_user = curves.at("users")[u] == world.dataset.users.name(query.user.value);
        EXPECT_EQ(values[context][u], is_user ? 1.0 : 0.0);
        EXPECT_EQ(values[1 - context][u], 0.0);
    }
}

TEST(FewShotCurves, what_is_missing_is_named) {
    const auto world = small_world();
    const testing_support::TemporaryFolder folder;
    const auto protocol = make_protocol(
        world.dataset, {.kind = ProtocolKind::few_shot, .folds = 2, .contexts = {0, 2}}
    );
    const std::vector<Outcome> outcomes{row_of("mine", protocol, [](std::size_t) { return .1; })};
    auto curves = few_shot_curves(world.dataset, protocol, outcomes, 10);
    const auto message = [&](const std::string& text) {
        write_file_atomic(folder / "curves.json", text);
        try {
            (void)read_paired_curves(folder / "curves.json", "mine", "served");
            return std::string{"no error"};
        } catch (const Error& error) {
            return std::string{error.what()};
        }
    };

    EXPECT_THAT(message(curves.dump()), HasSubstr("no row \"served\", it has: mine"));
    EXPECT_THAT(message("{}"), HasSubstr("holds no few-shot curves"));
    EXPECT_THAT(message("[1"), HasSubstr("evaluate --protocol few-shot --curves"));
    curves["rows"][0]["name"] = "served";
    curves["rows"].push_back(outcomes[0].name);
    EXPECT_THAT(message(curves.dump()), HasSubstr("holds no few-shot curves"));
    EXPECT_THROW(
        (void)few_shot_curves(world.dataset, make_protocol(world.dataset, {}), outcomes, 10), Error
    );
}

}  // namespace
}  // namespace hg::app
