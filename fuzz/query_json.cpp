// SPDX-License-Identifier: Apache-2.0
// fuzz: links hg_data
// The parser of recommend's queries, and of nothing else that comes from outside in that verb.
#include "data/query.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    hg::data::QueryParser parser;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto first = parser.parse(text);
    const auto again =
        parser.parse(text);  // buffers are reused: the answer must not depend on what was before
    if (first.has_value() != again.has_value()) {
        std::abort();
    }
    if (first && first->history.size() != again->history.size()) {
        std::abort();
    }
    return 0;
}
