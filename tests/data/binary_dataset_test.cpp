// SPDX-License-Identifier: Apache-2.0
#include "data/binary_dataset.hpp"

#include "core/rng.hpp"
#include "core/sealed_json.hpp"
#include "data/folder_fixture.hpp"
#include "data/ingest.hpp"
#include "data/synthetic.hpp"
#include "support/effort.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>

namespace hg::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void expect_same(const Dataset& a, const Dataset& b) {
    EXPECT_EQ(content_hash(a), content_hash(b));
    EXPECT_EQ(a.hash, b.hash);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.users.names(), b.users.names());
    EXPECT_EQ(a.items.names(), b.items.names());
    EXPECT_EQ(a.time_kind, b.time_kind);
    EXPECT_TRUE(std::ranges::equal(a.log.columns().items, b.log.columns().items));
    EXPECT_TRUE(std::ranges::equal(a.log.columns().times, b.log.columns().times));
    ASSERT_EQ(a.item_fields.fields().size(), b.item_fields.fields().size());
    for (std::size_t row = 0; row < a.items.size(); ++row) {
        for (std::size_t f = 0; f < a.item_fields.fields().size(); ++f) {
            EXPECT_EQ(a.item_fields.fields()[f].text(row), b.item_fields.fields()[f].text(row));
        }
    }
}

class Ingest : public FolderFixture {
  protected:
    void SetUp() override {
        write(
            "raw/interactions.csv",
            "user_id,item_id,rating,timestamp\nu,a,5,3\nu,b,4,1\nv,a,,2\nu,a,1,4\nw,c,2,9\n"
        );
        write(
            "raw/items.csv",
            "item_id,title,genres,year\na,\"A, the\",x|y,1990\nb,B,,\nz,Zed,y,2000\n"
        );
        write("raw/users.csv", "user_id,age\nu,30\n");
    }

    IngestReport ingested(const IngestOptions& options = {}) {
        SilentProgress silent;
        return value_or_throw(ingest(folder() / "raw", out(), options, silent));
    }

    [[nodiscard]] std::filesystem::path out() const { return folder() / "out"; }

    [[nodiscard]] std::vector<std::string> left_overs() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator{folder()}) {
            const auto name = entry.path().filename().string();
            if (name != "raw" && name != "out") {
                names.push_back(name);
            }
        }
        return names;
    }
};

TEST_F(Ingest, a_binary_dataset_equals_the_raw_folder) {
    ingested();

    auto raw = value_or_throw(open_dataset(folder() / "raw"));
    auto binary = value_or_throw(open_dataset(out()));

    expect_same(raw, binary);
}

TEST_F(Ingest, sessions_and_purchases_are_kept) {
    write(
        "raw/interactions.csv",
        "user_id,item_id,event,session\nu,a,view,s\nu,b,purchase,t\nv,a,view,\n"
    );
    (void)ingested();

    const auto raw = value_or_throw(open_dataset(folder() / "raw"));
    const auto data = value_or_throw(open_dataset(out()));

    expect_same(raw, data);
    EXPECT_THAT(data.log.columns().sessions, ElementsAre(0, 1, no_session));
    EXPECT_FALSE(data.event_types.at(0).is_purchase);
    EXPECT_TRUE(data.event_types.at(1).is_purchase);
}

TEST_F(Ingest, the_log_is_mapped_and_outlives_the_folder) {
    ingested();
    const auto data = value_or_throw(open_dataset(out()));

    std::filesystem::remove_all(out());

    EXPECT_EQ(data.log.history(UserId{0}).size(), 3U);
    EXPECT_EQ(data.items.name(data.log.history(UserId{0}).items[0].value), "b");
}

TEST_F(Ingest, an_older_dataset_is_replaced_and_nothing_else_is) {
    ingested();
    ingested({.filters = {.min_events = 2}});
    EXPECT_EQ(value_or_throw(open_dataset(out())).log.size(), 3U);
    EXPECT_TRUE(left_overs().empty());

    SilentProgress silent;
    write("precious/letter.txt", "dear");
    const auto refused = ingest(folder() / "raw", folder() / "precious", {}, silent);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::conflict);
    EXPECT_EQ(read("precious/letter.txt"), "dear");
}

TEST_F(Ingest, a_failure_leaves_the_older_dataset_and_no_litter) {
    ingested();
    write("raw/interactions.csv", "user_id,item_id\n,a\n");
    SilentProgress silent;

    EXPECT_FALSE(ingest(folder() / "raw", out(), {.max_bad = 0}, silent).has_value());

    EXPECT_EQ(value_or_throw(open_dataset(out())).log.size(), 5U);
    EXPECT_THAT(left_overs(), ElementsAre("out.rejected.jsonl"));
}

TEST_F(Ingest, rejected_rows_are_written_beside_the_dataset) {
    write("raw/interactions.csv", "user_id,item_id,rating\nu,a,five\nu,b,\xff\nu,c,3\n");

    const auto report = ingested();

    EXPECT_EQ(report.read.rejected, 2U);
    const auto lines = read("out/rejected.jsonl");
    const auto first = nlohmann::json::parse(lines.substr(0, lines.find('\n')));
    EXPECT_EQ(first.at("line"), 2);
    EXPECT_EQ(first.at("row"), "u,a,five");
}

TEST_F(Ingest, the_summary_counts_what_is_there) {
    const auto s = ingested().summary;

    EXPECT_EQ(s.users, 3U);
    EXPECT_EQ(s.items, 4U);
    EXPECT_EQ(s.touched_items, 3U);
    EXPECT_DOUBLE_EQ(s.repeats, 0.2);
    EXPECT_DOUBLE_EQ(s.density, 4.0 / 9.0);
    EXPECT_EQ(s.per_user.max, 3U);
    EXPECT_EQ(s.time, "order");
    EXPECT_EQ(s.item_fields.at(0).present, 3U);
}

TEST_F(Ingest, filters_keep_names_and_fields_with_their_rows) {
    const auto report = ingested({.filters = {.dedup = Dedup::last, .k_core = 2}, .until = "9"});
    const auto data = value_or_throw(open_dataset(out()));

    // u: b, a(last); v: a; w's event lies at the bound. 2-core: nothing has two events but u and a,
    // so all goes.
    EXPECT_EQ(report.filters.size(), 3U);
    EXPECT_EQ(data.log.size(), 0U);
    EXPECT_EQ(data.items.size(), 0U);
}

TEST_F(Ingest, dedup_keeps_the_first_or_the_last_of_a_users_repeats) {
    const auto kept_value = [&](Dedup dedup) {
        ingested({.filters = {.dedup = dedup}});
        const auto data = value_or_throw(open_dataset(out()));
        const auto history = data.log.history(UserId{0});
        const auto at = std::ranges::find(history.items, ItemId{*data.items.find("a")});
        EXPECT_EQ(history.size(), 2U);
        return history.values[static_cast<std::size_t>(at - history.items.begin())];
    };

    EXPECT_EQ(kept_value(Dedup::first), 5.0F);
    EXPECT_EQ(kept_value(Dedup::last), 1.0F);
}

TEST_F(Ingest, a_window_needs_times) {
    write("raw/interactions.csv", "user_id,item_id\nu,a\n");
    SilentProgress silent;

    const auto result = ingest(folder() / "raw", out(), {.since = "2024-01-01"}, silent);

    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().what(), HasSubstr("--since needs times"));
}

TEST_F(Ingest, every_damaged_file_gives_a_named_error) {
    ingested();
    for (const auto* name :
         {"dataset.json", "log.safetensors", "items.safetensors", "users.safetensors"}) {
        const auto whole = read(std::string{"out/"} + name);
        for (const auto size : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
            write(std::string{"out/"} + name, whole.substr(0, size));
            const auto result = open_dataset(out());
            // Only the line end of dataset.json may be missing.
            if (result.has_value()) {
                EXPECT_TRUE(std::string_view{name} == "dataset.json" && size == whole.size() - 1);
                continue;
            }
            EXPECT_THAT(result.error().what(), HasSubstr(name));
        }
        write(std::string{"out/"} + name, whole);
    }
    EXPECT_TRUE(open_dataset(out()).has_value());
}

TEST_F(Ingest, a_missing_file_is_named) {
    ingested();
    std::filesystem::remove(out() / "users.safetensors");

    const auto result = open_dataset(out());

    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().what(), HasSubstr("users.safetensors"));
}

TEST_F(Ingest, a_flipped_bit_is_noticed_or_harmless) {
    ingested();
    const auto original = value_or_throw(open_dataset(out()));
    const auto hash = content_hash(original);
    Rng rng{17};
    for (const auto* name :
         {"out/dataset.json",
          "out/log.safetensors",
          "out/items.safetensors",
          "out/users.safetensors"}) {
        const auto whole = read(name);
        for (std::size_t i = 0; i < testing_support::effort("HG_BIT_FLIPS", 300); ++i) {
            auto bytes = whole;
            const auto at = rng.below(bytes.size());
            bytes[at] =
                static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << rng.below(8)));
            write(name, bytes);
            const auto result = open_dataset(out());
            if (result.has_value()) {
                EXPECT_EQ(content_hash(*result), hash);
                EXPECT_EQ(result->name, original.name);
                EXPECT_EQ(result->hash, original.hash);
            }
            if (!result.has_value()) {
                EXPECT_FALSE(result.error().message().empty());
            }
        }
        write(name, whole);
    }
}

/// Structure is checked even where checksums are not: large files are not summed on opening.
TEST_F(Ingest, columns_that_do_not_fit_are_refused_without_checksums) {
    ingested();
    auto index = nlohmann::json::parse(read("out/dataset.json"));
    index.erase(seal_key);  // as by hand

    for (const auto* key : {"n_users", "n_items", "n_events"}) {
        auto wrong = index;
        wrong[key] = 2;
        write("out/dataset.json", wrong.dump());
        EXPECT_FALSE(open_dataset(out()).has_value()) << key;
    }
    for (const auto* key :
         {"files", "event_types", "time", "item_fields", "hash", "format_version"}) {
        auto wrong = index;
        wrong.erase(key);
        write("out/dataset.json", wrong.dump());
        const auto result = open_dataset(out());
        ASSERT_FALSE(result.has_value()) << key;
        EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
    }
}

TEST(Bots, a_user_far_beyond_the_others_is_one) {
    std::vector<Interaction> events;
    for (std::uint32_t u = 0; u < 50; ++u) {
        const std::size_t n = u == 7 ? 5000 : 10 + u;
        for (std::size_t i = 0; i < n; ++i) {
            events.push_back({.user = UserId{u}, .item = ItemId{0}});
        }
    }
    const auto log = InteractionLog::from_events(events, 50, 1);

    const auto limit = bot_threshold(log);

    EXPECT_GT(limit, 59.0);
    EXPECT_LT(limit, 5000.0);
}

TEST(Synthetic, the_same_options_make_the_same_log_and_another_seed_another) {
    const SyntheticOptions options{.users = 20, .items = 15, .events = 300, .seed = 3};
    auto other = options;
    other.seed = 4;

    EXPECT_EQ(make_synthetic(options).data.hash, make_synthetic(options).data.hash);
    EXPECT_NE(make_synthetic(options).data.hash, make_synthetic(other).data.hash);
}

TEST(Synthetic, exposure_is_a_distribution_and_propensities_are_taken_from_it) {
    const auto made =
        make_synthetic({.users = 20, .items = 15, .events = 500, .seed = 3, .skips = true});

    for (std::size_t s = 0; s < made.exposure.rows(); ++s) {
        double sum = 0;
        for (const float p : made.exposure.row(s)) {
            sum += p;
        }
        EXPECT_NEAR(sum, 1, 1e-5);
    }
    for (std::uint32_t u = 0; u < 20; ++u) {
        const auto history = made.data.log.history(UserId{u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            EXPECT_EQ(
                history.propensities[i], made.exposure(made.segments[u], history.items[i].index())
            );
        }
    }
}

/// The inverse-propensity estimate of the uniform policy's click rate against its true value. n =
/// 200,000, weights <= 10 / items ratio 10, so the standard error is below .006; 5 of them are
/// allowed (1e-6).
TEST(Synthetic, inverse_propensities_recover_the_uniform_click_rate) {
    const auto made = make_synthetic(
        {.users = 50, .items = 20, .events = 200'000, .seed = 5, .drift = 0, .skips = true}
    );
    const auto& log = made.data.log;
    double estimate = 0;
    double truth = 0;
    for (std::uint32_t u = 0; u < 50; ++u) {
        const auto history = log.history(UserId{u});
        double rate = 0;
        for (std::uint32_t i = 0; i < 20; ++i) {
            rate += made.click_probability(UserId{u}, ItemId{i}) / 20;
        }
        truth += rate * static_cast<double>(history.size());
        for (std::size_t e = 0; e < history.size(); ++e) {
            if (history.types[e].value == 0) {
                estimate += 1 / 20.0 / history.propensities[e];
            }
        }
    }
    const auto n = static_cast<double>(log.size());

    EXPECT_NEAR(estimate / n, truth / n, 0.03);
}

TEST(Synthetic, a_written_folder_opens_as_the_same_events) {
    const TemporaryFolder temporary;
    const auto made =
        make_synthetic({.users = 20, .items = 15, .events = 300, .seed = 3, .skips = true});

    write_synthetic(made, temporary.path());
    const auto data = value_or_throw(open_dataset(temporary.path()));

    ASSERT_EQ(data.log.size(), 300U);
    EXPECT_EQ(data.time_kind, TimeKind::real);
    for (std::uint32_t u = 0; u < 20; ++u) {
        const auto here = made.data.log.history(UserId{u});
        const auto there = data.log.history(UserId{*data.users.find(fmt::format("u{}", u))});
        ASSERT_EQ(here.size(), there.size());
        EXPECT_TRUE(std::ranges::equal(here.times, there.times));
        EXPECT_TRUE(std::ranges::equal(here.weights, there.weights));
        EXPECT_TRUE(std::ranges::equal(here.propensities, there.propensities));
    }
}

TEST(Synthetic, unknown_options_are_refused) {
    EXPECT_FALSE(parse_synthetic_options("users=5,itens=3").has_value());
    EXPECT_EQ(value_or_throw(parse_synthetic_options("users=5,seed=9")).seed, 9);
}

}  // namespace
}  // namespace hg::data
