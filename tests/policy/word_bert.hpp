// SPDX-License-Identifier: Apache-2.0
// A tiny BERT of random weights that knows the words behaviour is told in.
#pragma once

#include "encode/tiny_bert.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace hg::policy {

inline void write_word_bert(const std::filesystem::path& folder, std::uint64_t seed = 11) {
    encode::TinyBert options{.hidden = 16, .pieces = {}, .seed = seed};
    options.pieces = {
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        ",",
        ";",
        "topic",
        "nothing",
        "seen",
        "yet",
        "browsing",
        "item",
        "recently",
        "clicked"
    };
    for (int digit = 0; digit < 10; ++digit) {
        options.pieces.push_back(std::to_string(digit));
    }
    encode::write_tiny_bert(folder, options);
}

}  // namespace hg::policy
