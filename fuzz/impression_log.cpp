// SPDX-License-Identifier: Apache-2.0
// fuzz: links hg_data
// Any bytes as an impression log, and as probabilities for a small one; what is accepted must be
// written and read again as the same bytes.
#include "data/impression_log.hpp"

#include "data/policy_probabilities.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

std::string written(const hg::data::ImpressionLog& log) {
    std::string text;
    for (std::size_t i = 0; i < log.size(); ++i) {
        hg::data::append_json(log.row(i), text);
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using hg::data::Purpose;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    hg::data::Rejections many;
    const auto log = hg::data::parse_impressions(text, "fuzz", Purpose::learning, many);
    if (!log) {
        return 0;
    }
    const auto once = written(*log);
    hg::data::Rejections none{0};
    const auto again = hg::data::parse_impressions(once, "fuzz", Purpose::learning, none);
    if (!again || written(*again) != once) {
        std::abort();
    }
    (void)hg::data::parse_policy_probabilities(text, "fuzz", *log);
    return 0;
}
