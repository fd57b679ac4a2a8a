// SPDX-License-Identifier: Apache-2.0
#include "data/delimited.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hg::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Cells = std::vector<std::vector<std::string>>;

struct ReadBack {
    std::vector<std::string> columns;
    Cells rows;
    std::vector<std::size_t> bad_lines;
};

ReadBack read(std::string_view text, char separator = ',', Quotes quotes = Quotes::rfc4180) {
    DelimitedReader reader{text, separator, quotes};
    ReadBack out{reader.columns(), {}, {}};
    for (Row row; reader.next(row);) {
        if (row.problem.empty()) {
            out.rows.emplace_back(row.cells.begin(), row.cells.end());
        } else {
            out.bad_lines.push_back(row.line);
        }
    }
    return out;
}

TEST(Csv, quotes_hold_commas_line_ends_and_doubled_quotes) {
    const auto out = read("a,b\n\"x,y\",\"say \"\"hi\"\"\nthere\"\n1,2\n");

    EXPECT_THAT(
        out.rows, ElementsAre(ElementsAre("x,y", "say \"hi\"\nthere"), ElementsAre("1", "2"))
    );
}

TEST(Csv, crlf_line_ends_leave_no_trace) {
    const auto out = read("a,b\r\n1,\"2\"\r\n3,4");

    EXPECT_THAT(out.columns, ElementsAre("a", "b"));
    EXPECT_THAT(out.rows, ElementsAre(ElementsAre("1", "2"), ElementsAre("3", "4")));
}

TEST(Csv, blank_lines_are_no_rows_and_empty_cells_are_cells) {
    const auto out = read("a,b\n\n,\n   \n1,\n");

    EXPECT_THAT(out.rows, ElementsAre(ElementsAre("", ""), ElementsAre("1", "")));
}

TEST(Csv, an_unclosed_quote_costs_one_line) {
    const auto out = read("a,b\n\"1,2\n3,4\n5,6\n");

    EXPECT_THAT(out.bad_lines, ElementsAre(2));
    EXPECT_THAT(out.rows, ElementsAre(ElementsAre("3", "4"), ElementsAre("5", "6")));
}

TEST(Csv, text_behind_a_closing_quote_is_a_bad_row) {
    const auto out = read("a,b\n\"1\"x,2\n3,4\n");

    EXPECT_THAT(out.bad_lines, ElementsAre(2));
    EXPECT_THAT(out.rows, ElementsAre(ElementsAre("3", "4")));
}

TEST(Csv, a_row_with_another_number_of_cells_names_its_line) {
    DelimitedReader reader{"a,b\n\"x\ny\",2\n1\n", ',', Quotes::rfc4180};
    Row row;

    ASSERT_TRUE(reader.next(row));
    ASSERT_TRUE(reader.next(row));

    EXPECT_EQ(row.line, 4U);
    EXPECT_THAT(row.problem, HasSubstr("has 1 cells, the header has 2"));
}

TEST(Csv, semicolons_and_tabs_are_found_in_the_header) {
    EXPECT_EQ(guess_separator("a;b\n1,5;2"), ';');
    EXPECT_EQ(guess_separator("a\tb"), '\t');
    EXPECT_EQ(guess_separator("alone"), ',');
}

TEST(Csv, nothing_and_a_lone_header_are_read) {
    EXPECT_TRUE(read("").columns.empty());
    EXPECT_TRUE(read("a,b").rows.empty());
}

TEST(Tsv, quotes_around_a_whole_cell_go_away_and_others_stay) {
    const auto out = read("a\tb\n\"x\"\"y\"\t5\" disk\n", '\t', Quotes::whole_cell);

    EXPECT_THAT(out.rows, ElementsAre(ElementsAre("x\"y", "5\" disk")));
}

std::string quoted(const std::string& cell) {
    std::string out = "\"";
    for (const char c : cell) {
        out += c;
        if (c == '"') {
            out += '"';
        }
    }
    out += '"';
    return out;
}

RC_GTEST_PROP(CsvProperty, what_is_written_is_read, ()) {
    const auto n_columns = *rc::gen::inRange<std::size_t>(2, 5);
    const auto cell =
        rc::gen::container<std::string>(rc::gen::element('a', 'b', ',', '"', '\n', '\r', ' ', '\t')
        );
    const auto rows =
        *rc::gen::container<Cells>(rc::gen::container<std::vector<std::string>>(n_columns, cell));
    const std::string end = *rc::gen::arbitrary<bool>() ? "\r\n" : "\n";
    std::string text = "c0";
    for (std::size_t c = 1; c < n_columns; ++c) {
        text += ",c";
    }
    text += end;
    for (const auto& row : rows) {
        for (std::size_t c = 0; c < n_columns; ++c) {
            if (c > 0) {
                text += ',';
            }
            text += quoted(row[c]);
        }
        text += end;
    }

    const auto out = read(text);

    RC_ASSERT(out.bad_lines.empty());
    RC_ASSERT(out.rows == rows);
}

RC_GTEST_PROP(CsvProperty, any_bytes_end_and_lines_grow, ()) {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::element('a', ',', '"', '"', '\n', '\n', '\r', '\0', '\xff')
    );
    for (const auto quotes : {Quotes::rfc4180, Quotes::whole_cell, Quotes::none}) {
        DelimitedReader reader{text, ',', quotes};
        std::size_t last = 0;
        for (Row row; reader.next(row);) {
            RC_ASSERT(row.line > last);
            RC_ASSERT(row.cells.size() == reader.columns().size());
            last = row.line;
        }
    }
}

}  // namespace
}  // namespace hg::data
