// SPDX-License-Identifier: Apache-2.0
#include "encode/wordpiece.hpp"

#include "encode/catalogues.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace hg::encode {
namespace {

using Pieces = std::vector<std::string>;

WordPiece small_tokenizer(WordPieceOptions options = {}) {
    return value_or_throw(WordPiece::from_pieces(
        {"[PAD]",
         "[UNK]",
         "[CLS]",
         "[SEP]",
         "[MASK]",
         "toy",
         "story",
         "un",
         "##want",
         "##ed",
         "a",
         "##a",
         "!",
         "e",
         "日",
         "i",
         "##i"},
        std::move(options)
    ));
}

Pieces pieces(const WordPiece& tokenizer, std::string_view text) {
    Pieces out;
    for (const auto id : tokenizer.encode(text)) {
        out.push_back(tokenizer.piece(id));
    }
    return out;
}

TEST(WordPiece, takes_the_longest_piece_first) {
    EXPECT_EQ(
        pieces(small_tokenizer(), "Toy story, unwanted!"),
        (Pieces{"[CLS]", "toy", "story", "[UNK]", "un", "##want", "##ed", "!", "[SEP]"})
    );
}

TEST(WordPiece, of_nothing_is_two_special_tokens) {
    for (const auto* text : {"", "   ", "\t\n", "\x01\x7f", "\xEF\xBF\xBD", "\xff\xfe\xc0"}) {
        EXPECT_EQ(pieces(small_tokenizer(), text), (Pieces{"[CLS]", "[SEP]"}));
    }
}

TEST(WordPiece, drops_accents_and_case_and_broken_bytes) {
    EXPECT_EQ(
        pieces(small_tokenizer(), "TO\xffY É e\xCC\x81"),
        (Pieces{"[CLS]", "toy", "e", "e", "[SEP]"})
    );
}

TEST(WordPiece, keeps_accents_and_case_when_told) {
    EXPECT_EQ(
        pieces(small_tokenizer({.lower_case = false, .strip_accents = false}), "Toy toy é"),
        (Pieces{"[CLS]", "[UNK]", "toy", "[UNK]", "[SEP]"})
    );
}

TEST(WordPiece, makes_an_ideograph_a_word) {
    EXPECT_EQ(
        pieces(small_tokenizer(), "toy日story"), (Pieces{"[CLS]", "toy", "日", "story", "[SEP]"})
    );
}

TEST(WordPiece, takes_a_special_token_typed_in_a_text_for_the_token) {
    EXPECT_EQ(
        pieces(small_tokenizer(), "toy[SEP]a[MASK] [sep]"),
        (Pieces{"[CLS]", "toy", "[SEP]", "a", "[MASK]", "[UNK]", "[UNK]", "[UNK]", "[SEP]"})
    );
}

TEST(WordPiece, makes_one_unknown_of_a_word_over_100_characters) {
    EXPECT_EQ(small_tokenizer().encode(std::string(100, 'a')).size(), 102U);
    EXPECT_EQ(
        pieces(small_tokenizer(), std::string(101, 'a')), (Pieces{"[CLS]", "[UNK]", "[SEP]"})
    );
}

TEST(WordPiece, cuts_at_max_length_with_the_separator_last) {
    const auto tokenizer = small_tokenizer({.max_length = 4});

    EXPECT_EQ(pieces(tokenizer, "toy story a e"), (Pieces{"[CLS]", "toy", "story", "[SEP]"}));
    EXPECT_EQ(pieces(tokenizer, "[SEP][SEP][SEP][SEP]").size(), 4U);
}

TEST(WordPiece, survives_a_megabyte_of_anything) {
    const auto tokenizer = small_tokenizer();
    for (const std::string_view unit :
         {"a", "a ", "\xCC\x81", "\xCC\xA3\xCC\x81", "[SEP]", "日", "\xff", "["}) {
        std::string text;
        while (text.size() < 1'000'000) {
            text += unit;
        }
        EXPECT_LE(tokenizer.encode(text).size(), 512U);
    }
}

TEST(WordPiece, says_what_is_wrong_with_a_folder) {
    const TempFolder folder;
    EXPECT_EQ(WordPiece::load(folder.path()).error().code(), ErrorCode::not_found);
    std::ofstream{folder.path() / "vocab.txt"} << "toy\nstory\n";
    const auto loaded = WordPiece::load(folder.path());
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code(), ErrorCode::corrupt);
    EXPECT_NE(loaded.error().message().find("[UNK]"), std::string::npos);
}

TEST(WordPiece, reads_the_settings_of_a_folder) {
    const TempFolder folder;
    std::ofstream{folder.path() / "vocab.txt"} << "<p>\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nÉ\r\n";
    std::ofstream{folder.path() / "tokenizer_config.json"}
        << R"({"do_lower_case": false, "pad_token": {"content": "<p>"}, "model_max_length": 1e30})";
    std::ofstream{folder.path() / "config.json"} << R"({"max_position_embeddings": 40})";
    const auto tokenizer = value_or_throw(WordPiece::load(folder.path()));

    EXPECT_FALSE(tokenizer.options().lower_case);
    EXPECT_FALSE(tokenizer.options().strip_accents);
    EXPECT_EQ(tokenizer.options().max_length, 40U);
    EXPECT_EQ(tokenizer.pad_id(), 0);
    EXPECT_EQ(tokenizer.encode("É"), (std::vector<std::int32_t>{2, 4, 3}));

    std::ofstream{folder.path() / "sentence_bert_config.json"} << R"({"max_seq_length": 8})";
    EXPECT_EQ(value_or_throw(WordPiece::load(folder.path())).options().max_length, 8U);
}

}  // namespace
}  // namespace hg::encode
