// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes through the reader of GA4 events: ends, every event has a user and an item.
#include "core/error.hpp"
#include "data/ga4_rows.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace hg::data;  // NOLINT(google-build-using-namespace): one function
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    for (const auto kind : {TableKind::interactions, TableKind::items}) {
        ImportContext context;
        Ga4Rows reader{text, kind, context};
        for (Row row; reader.next(row);) {
            HG_CHECK(row.cells.size() == reader.columns().size(), "a row must fit the header");
            const bool is_fine = row.problem.empty();
            HG_CHECK(!is_fine || !row.cells[0].empty(), "a row must have an id");
        }
    }
    return 0;
}
