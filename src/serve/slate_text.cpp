// SPDX-License-Identifier: Apache-2.0
#include "serve/slate_text.hpp"

#include "core/digest.hpp"
#include "serve/http/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <iterator>

namespace hg::serve {
namespace {

/// As a JSON string; most ids need no escapes, and then no JSON value is made for them.
void append_quoted(std::string& text, const std::string& value) {
    const bool is_plain = std::ranges::all_of(value, [](char c) {
        return c >= ' ' && c <= '~' && c != '"' && c != '\\';
    });
    if (is_plain) {
        text += '"';
        text += value;
        text += '"';
    } else {
        text += dump(nlohmann::json(value));
    }
}

/// JSON has no word for what is not finite.
template <std::floating_point Number>
void append_number(std::string& text, Number value) {
    if (std::isfinite(value)) {
        fmt::format_to(std::back_inserter(text), "{}", value);
    } else {
        text += "null";
    }
}

/// As a further member of an object.
void append_member(std::string& text, std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(text), ",\"{}\":", name);
    append_quoted(text, value);
}

void append_row(
    std::string& text, const ItemTable::Read& items, const policy::Slot& slot, const Reason& reason
) {
    fmt::format_to(std::back_inserter(text), R"({{"explore":{},"score":)", slot.explored);
    append_number(text, slot.score);
    text += ",\"propensity\":";
    append_number(text, slot.propensity);
    if (reason.because) {
        append_member(text, "because", items.id(*reason.because));
    }
    append_member(text, "item_id", items.id(slot.item));
    append_member(text, "reason", reason.text);
    append_member(text, "title", items.title(slot.item));
    text += "}";
}

}  // namespace

CandidatesText text_of(const ItemTable::Read& items, std::span<const Scored> pool) {
    constexpr std::size_t usual_bytes = 24;  // of a candidate
    constexpr std::size_t digits = 16;
    CandidatesText text{.candidates = "[", .digest = {}};
    text.candidates.reserve(usual_bytes * (1 + pool.size()));
    for (const auto& candidate : pool) {
        text.candidates += text.candidates.size() > 1 ? ",[" : "[";
        append_quoted(text.candidates, items.id(candidate.index));
        // The score's shortest digits: the policy gives its propensities again.
        text.candidates += ',';
        append_number(text.candidates, candidate.score);
        text.candidates += ']';
    }
    text.candidates += "]";
    text.digest = digest_hex(text.candidates).substr(0, digits);
    return text;
}

std::string json_of(const SlateText& slate) {
    constexpr std::size_t usual_bytes = 256;  // of a row
    std::string text;
    text.reserve(usual_bytes * (1 + slate.slots.size()));
    text += "{\"items\":[";
    for (std::size_t i = 0; i < slate.slots.size(); ++i) {
        text += i > 0 ? "," : "";
        append_row(text, slate.items, slate.slots[i], slate.reasons[i]);
    }
    text += "]";
    append_member(text, "model", slate.model);
    append_member(text, "policy", slate.policy);
    append_member(text, "recommendation_id", slate.recommendation_id);
    return text + "}";
}

}  // namespace hg::serve
