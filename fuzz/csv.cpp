// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes through the CSV and TSV readers: ends, lines grow, rows fit the header.
#include "core/error.hpp"
#include "data/delimited.hpp"
#include "data/text_file.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace hg::data;  // NOLINT(google-build-using-namespace): one function
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    for (const auto quotes : {Quotes::rfc4180, Quotes::whole_cell, Quotes::none}) {
        DelimitedReader reader{text, guess_separator(text), quotes};
        std::size_t last_line = 0;
        for (Row row; reader.next(row);) {
            HG_CHECK(row.line > last_line, "lines must grow");
            HG_CHECK(row.cells.size() == reader.columns().size(), "a row must fit the header");
            last_line = row.line;
        }
    }
    (void)inflate_gzip(text, "fuzz");
    return 0;
}
