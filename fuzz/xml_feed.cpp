// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes through the reader of XML product feeds: ends, rows fit the columns met so far.
#include "core/error.hpp"
#include "data/xml_items.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    hg::data::XmlItemReader reader{text};
    std::size_t problems = 0;
    for (hg::data::Row row; reader.next(row);) {
        HG_CHECK(row.cells.size() == reader.columns().size(), "a row must fit the columns");
        HG_CHECK(row.text.size() <= text.size(), "a row is a part of the text");
        problems += row.problem.empty() ? 0 : 1;
    }
    HG_CHECK(problems <= 1, "broken XML is one problem");
    return 0;
}
