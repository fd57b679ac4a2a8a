// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes as a Parquet file: an error that names it, or rows that fit the columns.
#include "core/error.hpp"
#include "data/parquet_rows.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    const auto rows = hg::data::open_parquet_bytes(text, "fuzz.parquet");
    if (!rows) {
        HG_CHECK(rows.error().message().starts_with("fuzz.parquet: "), "an error names the file");
        return 0;
    }
    constexpr std::size_t enough = 100'000;  // a damaged footer may promise a world
    std::size_t n = 0;
    for (hg::data::Row row; n < enough && (*rows)->next(row); ++n) {
        HG_CHECK(row.cells.size() == (*rows)->columns().size(), "a row must fit the columns");
    }
    return 0;
}
