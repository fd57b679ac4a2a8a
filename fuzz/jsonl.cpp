// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes through the JSON lines reader.
#include "core/error.hpp"
#include "data/json_lines.hpp"

#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    hg::data::JsonLinesReader reader{{reinterpret_cast<const char*>(bytes), size}};
    std::size_t last_line = 0;
    std::size_t total = 0;
    for (hg::data::Row row; reader.next(row);) {
        HG_CHECK(row.line > last_line, "lines must grow");
        last_line = row.line;
        for (const auto cell : row.cells) {
            total += std::string{cell}.size();
        }  // reads every byte
    }
    return total > SIZE_MAX / 2 ? 1 : 0;
}
