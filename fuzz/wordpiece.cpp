// fuzz: links hg_encode
// SPDX-License-Identifier: Apache-2.0
// The tokenizer takes any bytes: as a text, and (behind a first byte of 1) as a vocabulary.
#include "encode/wordpiece.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::vector<std::string> default_pieces() {
    return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "e", "the", "##e", "日", "!"};
}

std::vector<std::string> lines(std::string_view text) {
    std::vector<std::string> out{"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
    while (!text.empty()) {
        const auto end = text.find('\n');
        out.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return out;
}

void check(const hg::encode::WordPiece& tokenizer, std::string_view text) {
    const auto ids = tokenizer.encode(text);
    if (ids.size() < 2 || ids.size() > tokenizer.options().max_length) {
        std::abort();
    }
    for (const auto id : ids) {
        (void)tokenizer.piece(id);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto tokenizer =
        hg::value_or_throw(hg::encode::WordPiece::from_pieces(default_pieces(), {.max_length = 64})
        );
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (text.starts_with('\x01')) {
        const auto other = hg::encode::WordPiece::from_pieces(lines(text.substr(1)), {});
        if (other) {
            check(*other, text);
        }
        return 0;
    }
    check(tokenizer, text);
    return 0;
}
