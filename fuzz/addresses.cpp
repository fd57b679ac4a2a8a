// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes searched for e-mail addresses: none is left, what has none stays, UTF-8 stays UTF-8.
#include "core/error.hpp"
#include "data/cell.hpp"
#include "data/pseudonyms.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    using namespace hg::data;  // NOLINT(google-build-using-namespace): one function
    static const auto pseudonyms = Pseudonyms::make();
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    const auto hidden = pseudonyms.hide(text);
    HG_CHECK(!find_address(hidden), "no address is left");
    HG_CHECK(find_address(text) || hidden == text, "a text without addresses stays");
    HG_CHECK(!is_utf8(text) || is_utf8(hidden), "UTF-8 must stay UTF-8");
    return 0;
}
