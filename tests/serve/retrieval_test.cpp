// SPDX-License-Identifier: Apache-2.0
#include "serve/retrieval.hpp"

#include "core/file.hpp"
#include "core/progress.hpp"
#include "core/safetensors.hpp"
#include "serve/catalogue_vectors.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace hg::serve {
namespace {

constexpr std::size_t n_items = 6000;
constexpr std::size_t dim = 16;

class RetrievalTest : public ::testing::Test {
  protected:
    std::unique_ptr<const Retrieval> make(const RetrievalOptions& options) {
        SilentProgress silent;
        return Retrieval::make(items.view(), users.view(), options, file, silent, {});
    }

    VectorIndex build() {
        SilentProgress silent;
        return VectorIndex::build(items.view(), silent, {});
    }

    testing_support::TemporaryFolder folder;
    std::filesystem::path file = folder / "run.hnsw.safetensors";
    Matrix<float> items = catalogue_vectors(n_items, dim, 1);
    Matrix<float> users = catalogue_vectors(40, dim, 2);
};

TEST_F(RetrievalTest, an_index_finds_nearly_all_of_the_best_with_their_exact_scores) {
    const auto indexed = make({.index = IndexChoice::hnsw});
    ASSERT_TRUE(indexed->has_index());
    const auto strangers = catalogue_vectors(50, dim, 3);
    constexpr std::size_t k = 100;
    std::size_t n_found = 0;
    for (std::size_t user = 0; user < strangers.rows(); ++user) {
        const auto vector = strangers.row(user);
        std::set<std::uint32_t> truth;
        for (const auto& row : indexed->best_of_all(vector, k)) {
            truth.insert(row.index);
        }
        const auto found = indexed->best(vector, k);
        EXPECT_EQ(found.size(), k);
        EXPECT_TRUE(std::ranges::is_sorted(found, std::greater{}, &Scored::score));
        for (const auto& row : found) {
            n_found += truth.count(row.index);
            EXPECT_EQ(row.score, indexed->table().score(vector, row.index));
        }
    }
    EXPECT_GE(static_cast<double>(n_found), 0.98 * k * static_cast<double>(strangers.rows()));
}

TEST_F(RetrievalTest, automatic_uses_no_index_that_takes_longer_than_scoring_every_item) {
    const auto made =
        make({.index = IndexChoice::automatic, .index_above = n_items - 1, .most_time_share = 0});

    EXPECT_FALSE(made->has_index());
    EXPECT_EQ(made->facts()["search"], "every item");
    EXPECT_GT(made->facts()["index_ms"].get<double>(), 0);
    EXPECT_GT(made->facts()["every_item_ms"].get<double>(), 0);
    EXPECT_TRUE(make({.index = IndexChoice::hnsw, .most_time_share = 0})->has_index())
        << "who asks for one gets it";
}

TEST_F(RetrievalTest, automatic_makes_an_index_of_a_big_catalogue_only) {
    EXPECT_FALSE(make({.index = IndexChoice::automatic})->has_index());
    EXPECT_TRUE(
        make({.index = IndexChoice::automatic, .index_above = n_items - 1, .most_time_share = 1e9})
            ->has_index()
    );
    EXPECT_FALSE(make({.index = IndexChoice::exact, .index_above = 1})->has_index());
}

TEST_F(RetrievalTest, an_index_that_misses_too_much_is_not_used_and_says_so) {
    const auto exact = make({.index = IndexChoice::hnsw, .recall_wanted = 1.01});

    EXPECT_FALSE(exact->has_index());
    EXPECT_EQ(exact->facts()["search"], "every item");
    EXPECT_EQ(exact->facts()["why"], "the index misses too much");
    EXPECT_EQ(exact->best(users.row(0), 7).size(), 7U);
}

TEST_F(RetrievalTest, without_users_to_measure_by_every_item_is_scored) {
    users = Matrix<float>(0, dim);

    EXPECT_FALSE(make({.index = IndexChoice::hnsw})->has_index());
}

TEST_F(RetrievalTest, a_kept_index_answers_as_the_one_that_was_built) {
    const auto built = make({.index = IndexChoice::hnsw});
    ASSERT_TRUE(std::filesystem::exists(file));
    const auto written = std::filesystem::last_write_time(file);

    const auto loaded = make({.index = IndexChoice::hnsw});

    EXPECT_EQ(std::filesystem::last_write_time(file), written) << "it was not built again";
    for (std::size_t user = 0; user < users.rows(); ++user) {
        const auto a = built->best(users.row(user), 100);
        const auto b = loaded->best(users.row(user), 100);
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_EQ(a[i].index, b[i].index);
        }
    }
}

TEST_F(RetrievalTest, an_index_of_other_vectors_is_never_used) {
    build().save(file);
    items(17, 3) += 0.5F;

    const auto loaded = VectorIndex::load(file, items.view());

    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code(), ErrorCode::conflict);
    ASSERT_TRUE(make({.index = IndexChoice::hnsw})->has_index()) << "it is built again";
    EXPECT_TRUE(VectorIndex::load(file, items.view()));
}

TEST_F(RetrievalTest, a_damaged_index_is_refused_with_its_fault) {
    build().save(file);
    const auto sound = value_or_throw(read_file(file));
    const auto is_refused = [&](std::string_view tensor, std::uint32_t value, std::size_t at) {
        const auto opened = value_or_throw(SafetensorsFile::open(file));
        SafetensorsWriter writer;
        for (const auto& [key, text] : opened.metadata()) {
            writer.add_metadata(key, text);
        }
        for (const auto& [name, view] : opened.tensors()) {
            std::vector<std::byte> bytes{view.bytes.begin(), view.bytes.end()};
            if (name == tensor) {
                std::memcpy(bytes.data() + at * sizeof value, &value, sizeof value);
            }
            writer.add_bytes(name, view.dtype, view.shape, std::move(bytes));
        }
        const auto other = folder / "other.safetensors";
        writer.save(other);
        const auto loaded = VectorIndex::load(other, items.view());
        return !loaded && loaded.error().code() == ErrorCode::corrupt;
    };

    EXPECT_TRUE(is_refused("links_below", n_items, 1)) << "a link to no node";
    EXPECT_TRUE(is_refused("links_below", 1000, 0)) << "more links than fit";
    EXPECT_TRUE(is_refused("rows", n_items, 4)) << "a node of no item";
    EXPECT_TRUE(is_refused("levels", 63, 4)) << "a node without its links";
    EXPECT_TRUE(is_refused("links_above", n_items, 1)) << "a link to no node above";
}

}  // namespace
}  // namespace hg::serve
