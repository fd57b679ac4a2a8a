// SPDX-License-Identifier: Apache-2.0
#include "policy/behaviour_text.hpp"

#include "policy/session_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

namespace hg::policy {
namespace {

constexpr std::size_t words_of_an_item = 8;
constexpr std::size_t traits_of_an_item = 3;
constexpr float least_trait = 0.05F;  // rounds to 0

std::string_view first_words(std::string_view text) {
    std::size_t end = 0;
    for (std::size_t n = 0; n < words_of_an_item && end != std::string_view::npos; ++n) {
        end = text.find(' ', end + (n > 0 ? 1 : 0));
    }
    return text.substr(0, end);
}

std::string words_of_numbers(std::span<const float> item) {
    const auto n_ones = std::ranges::count(item, 1.0F);
    const auto n_zeros = std::ranges::count(item, 0.0F);
    if (n_ones == 1 && n_ones + n_zeros == std::ssize(item)) {
        return fmt::format("topic {}", std::ranges::find(item, 1.0F) - item.begin());
    }
    std::vector<std::size_t> order(item.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>{}, [&](auto i) { return std::abs(item[i]); });
    std::string words;
    for (std::size_t i = 0; i < std::min(traits_of_an_item, order.size()); ++i) {
        const float value = item[order[i]];
        if (std::abs(value) >= least_trait) {
            words += fmt::format("{}trait {} {:+.1f}", words.empty() ? "" : " ", order[i], value);
        }
    }
    return words.empty() ? "an item" : words;
}

void append(std::string& list, std::string_view item) {
    list += list.empty() ? "" : ", ";
    list += item;
}

}  // namespace

std::string item_text(std::span<const float> item, const simulate::ItemTexts* texts) {
    if (texts != nullptr) {
        if (const auto known = texts->find(item)) {
            return std::string{*known};
        }
    }
    return words_of_numbers(item);
}

std::string behaviour_text(
    std::span<const float> session, std::size_t token_size, const simulate::ItemTexts* texts
) {
    const auto item_size = token_size - SessionTokens::n_marks;
    std::string browsing;
    std::string clicked;
    for (auto left = session.size() / token_size; left > 0; --left) {
        const auto token = session.subspan((left - 1) * token_size, token_size);
        if (token.back() <= 0) {
            break;  // the places before the first item shown are empty
        }
        const auto item = item_text(token.first(item_size), texts);
        append(token[item_size] > 0 ? clicked : browsing, first_words(item));
    }
    std::string text = browsing.empty() ? "" : "browsing " + browsing;
    if (!clicked.empty()) {
        text += (text.empty() ? "recently clicked " : "; recently clicked ") + clicked;
    }
    return text.empty() ? "nothing seen yet" : text;
}

}  // namespace hg::policy
