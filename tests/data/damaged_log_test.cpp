// SPDX-License-Identifier: Apache-2.0
// Impression logs are text of other programs, without checksums: a flipped bit gives an error with
// its line or another, well-formed log; never a crash and never a row out of range.
#include "core/rng.hpp"
#include "data/impression_log.hpp"
#include "support/effort.hpp"
#include "support/flips.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace hg::data {
namespace {

std::string log_text() {
    std::string text;
    for (int i = 0; i < 4; ++i) {
        text += fmt::format(
            R"({{"recommendation_id":"r{}","user_id":"u{}","timestamp":17{},"policy":"p",)"
            R"("deterministic":false,"candidates":["a","b","c"],"history":["b"],)"
            R"("slots":[{{"item_id":"c","propensity":0.5,"reward":1,"clicked":true}}]}})"
            "\n",
            i,
            i % 2,
            i
        );
    }
    return text;
}

TEST(DamagedImpressionLog, a_flipped_bit_is_an_error_by_line_or_a_well_formed_log) {
    const auto whole = log_text();
    Rng rng{31};
    std::size_t refused = 0;
    const auto flips = testing_support::effort("HG_BIT_FLIPS", 1000);
    for (std::size_t i = 0; i < flips; ++i) {
        Rejections none{0};
        const auto log = parse_impressions(
            testing_support::with_a_flipped_bit(whole, rng), "log.jsonl", Purpose::off_policy, none
        );
        if (!log) {
            ++refused;
            EXPECT_NE(std::string{log.error().what()}.find("log.jsonl"), std::string::npos);
            continue;
        }
        for (const auto slot : log->slots.values) {
            EXPECT_LT(slot, 3U);
        }
        for (const auto propensity : log->slot.propensity) {
            EXPECT_TRUE(propensity > 0 && propensity <= 1) << propensity;
        }
    }
    fmt::print("[figures] {} flips: {} refused, the others well-formed text\n", flips, refused);
    EXPECT_GT(refused, flips / 4);
}

TEST(DamagedImpressionLog, cut_anywhere_its_last_line_is_named) {
    const auto whole = log_text();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        Rejections none{0};
        const auto log =
            parse_impressions(whole.substr(0, size), "log.jsonl", Purpose::off_policy, none);
        if (!log) {
            EXPECT_NE(std::string{log.error().what()}.find("log.jsonl"), std::string::npos) << size;
        }
    }
}

}  // namespace
}  // namespace hg::data
