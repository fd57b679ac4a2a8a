// SPDX-License-Identifier: Apache-2.0
// behaviour_text: what a user did in this session, in words, for encoders that read text.
//
//   "browsing Heat, Alien; recently clicked Toy Story, Casino"
//
// Shown and not clicked is browsed; the newest comes first, so that a reader who cuts the text
// forgets the oldest. An item is its text where the world has one (the first words of it), else its
// numbers in words: "topic 3" where exactly one of them is 1, "trait 2 +0.7" for the largest. Values
// and ratings are left out: not every log has them, and a policy must read a log as it reads a world.
//
//   behaviour_text(session_row, token_size, facts.item_texts.get());
#pragma once

#include "simulate/item_texts.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace hg::policy {

/// `texts` may be null. Never empty.
[[nodiscard]] std::string item_text(std::span<const float> item, const simulate::ItemTexts* texts);

/// `session`: tokens of session_tokens.hpp, oldest first. Never empty.
[[nodiscard]] std::string behaviour_text(
    std::span<const float> session, std::size_t token_size, const simulate::ItemTexts* texts
);

}  // namespace hg::policy
