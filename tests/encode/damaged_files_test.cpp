// SPDX-License-Identifier: Apache-2.0
// What encode reads, damaged: vectors and their cache give what was written or a named error (the
// cache: nothing). A vocabulary is a file of others without a checksum: it gives an error or a
// tokenizer of other words that works.
#include "core/file.hpp"
#include "core/rng.hpp"
#include "encode/catalogues.hpp"
#include "encode/vector_cache.hpp"
#include "encode/vector_store.hpp"
#include "encode/wordpiece.hpp"
#include "support/effort.hpp"
#include "support/flips.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace hg::encode {
namespace {

using testing_support::effort;
using testing_support::with_a_flipped_bit;

void write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

data::IdMap eight_items() {
    data::IdMap items;
    for (int i = 0; i < 8; ++i) {
        items.intern(fmt::format("item-{}", i));
    }
    return items;
}

ItemVectors eight_vectors() {
    ItemVectors vectors{.encoder = "fused"};
    vectors.vectors = Matrix<float>(8, 5);
    float next = 0;
    for (auto& value : vectors.vectors.values()) {
        value = next += 0.25F;
    }
    vectors.present.assign(8, 1);
    vectors.parts = {"text", "fields"};
    vectors.part_present = Matrix<std::uint8_t>(8, 2, std::vector<std::uint8_t>(16, 1));
    return vectors;
}

bool is_same(const ItemVectors& a, const ItemVectors& b) {
    return a.encoder == b.encoder && a.present == b.present && a.parts == b.parts &&
           std::ranges::equal(a.vectors.values(), b.vectors.values()) &&
           std::ranges::equal(a.part_present.values(), b.part_present.values());
}

TEST(DamagedVectors, a_flipped_bit_or_a_cut_is_noticed_or_harmless) {
    const TempFolder folder;
    const auto items = eight_items();
    const auto vectors = eight_vectors();
    save_item_vectors(folder.path(), vectors, items);
    const auto path = folder.path() / "vectors.safetensors";
    const auto whole = value_or_throw(read_file(path));
    Rng rng{37};
    std::size_t harmless = 0;
    const auto flips = effort("HG_BIT_FLIPS", 300);
    for (std::size_t i = 0; i < flips; ++i) {
        write(path, with_a_flipped_bit(whole, rng));
        const auto found = load_item_vectors(folder.path(), items);
        if (found) {
            ++harmless;
            ASSERT_TRUE(is_same(*found, vectors)) << "silent change by flip " << i;
        }
    }
    fmt::print("[figures] vectors, {} flips: {} harmless, 0 silent\n", flips, harmless);
    for (std::size_t size = 0; size < whole.size(); size += 3) {
        write(path, whole.substr(0, size));
        EXPECT_FALSE(load_item_vectors(folder.path(), items)) << size;
    }
}

TEST(DamagedVectorCache, a_flipped_bit_drops_the_part_and_never_changes_a_vector) {
    const TempFolder folder;
    const std::vector<float> vector{1, 2, 3};
    {
        VectorCache cache{folder.path(), "model", 3};
        cache.add("a text", vector);
        cache.save();
    }
    const auto path = folder.path() / "part-000000.safetensors";
    const auto whole = value_or_throw(read_file(path));
    Rng rng{41};
    for (std::size_t i = 0; i < effort("HG_BIT_FLIPS", 300); ++i) {
        write(path, with_a_flipped_bit(whole, rng));
        const VectorCache cache{folder.path(), "model", 3};
        const auto found = cache.find("a text");
        ASSERT_TRUE(!found || std::ranges::equal(*found, vector)) << "silent change by flip " << i;
    }
}

TEST(DamagedVocabulary, a_flipped_bit_is_an_error_or_a_tokenizer_that_works) {
    const std::vector<std::string> words{
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "toy", "story", "un", "##want", "##ed", "a"
    };
    std::string whole;
    for (const auto& word : words) {
        whole += word + "\n";
    }
    const TempFolder folder;
    Rng rng{43};
    std::size_t refused = 0;
    const auto flips = effort("HG_BIT_FLIPS", 300);
    for (std::size_t i = 0; i < flips; ++i) {
        write(folder.path() / "vocab.txt", with_a_flipped_bit(whole, rng));
        const auto tokenizer = WordPiece::load(folder.path());
        if (!tokenizer) {
            ++refused;
            EXPECT_FALSE(tokenizer.error().message().empty());
            continue;
        }
        for (const auto id : tokenizer->encode("A toy story, unwanted.")) {
            EXPECT_FALSE(tokenizer->piece(id).empty());
        }
    }
    fmt::print(
        "[figures] vocabulary, {} flips: {} refused, the others other words\n", flips, refused
    );
}

}  // namespace
}  // namespace hg::encode
