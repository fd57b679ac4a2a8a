// SPDX-License-Identifier: Apache-2.0
#include "data/impression_row.hpp"

#include "data/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <span>

namespace hg::data {
namespace {

std::unexpected<Error> bad(std::string message, std::string hint) {
    return fail(ErrorCode::invalid_argument, std::move(message), std::move(hint));
}

Result<void> check_propensity(double propensity, std::string_view where) {
    if (propensity > 0 && propensity <= 1) {
        return {};
    }
    return bad(
        fmt::format("{} is {}, expected a probability in (0, 1]", where, propensity),
        "log the probability with which the policy chose what it showed"
    );
}

Result<void> check_given(double number, std::string_view where) {
    if (std::isinf(number)) {
        return bad(
            fmt::format("{} is {}, expected a finite number", where, number),
            "leave it out where it is unknown"
        );
    }
    return {};
}

Result<void> check_slot(const LoggedSlot& slot, std::size_t index, Purpose purpose) {
    const auto where = [index](std::string_view field) {
        return fmt::format("slots[{}].{}", index, field);
    };
    if (const auto problem = id_problem(slot.item_id); !problem.empty()) {
        return bad(fmt::format("{} {}", where("item_id"), problem), "give every slot its item");
    }
    if (!std::isnan(slot.propensity)) {
        if (auto fine = check_propensity(slot.propensity, where("propensity")); !fine) {
            return fine;
        }
    } else if (purpose == Purpose::off_policy) {
        return bad(
            fmt::format(
                "{} is missing: off-policy evaluation cannot use a log without propensities",
                where("propensity")
            ),
            "serve with epsilon > 0 and keep the propensities that are logged then"
        );
    }
    if (slot.purchased == true && slot.clicked == false) {
        return bad(
            fmt::format("{} is true without a click", where("purchased")),
            "a purchase is a click that went further: log clicked as true too"
        );
    }
    if (auto fine = check_given(slot.reward, where("reward")); !fine) {
        return fine;
    }
    if (auto fine = check_given(slot.value, where("value")); !fine) {
        return fine;
    }
    return check_given(slot.rating, where("rating"));
}

Result<void> check_slots(const ImpressionRow& impression, Purpose purpose) {
    if (impression.slots.empty()) {
        return bad("slots is empty", "log what was shown, best first");
    }
    std::vector<std::string_view> items;
    for (std::size_t i = 0; i < impression.slots.size(); ++i) {
        if (auto fine = check_slot(impression.slots[i], i, purpose); !fine) {
            return fine;
        }
        items.emplace_back(impression.slots[i].item_id);
    }
    std::ranges::sort(items);
    if (const auto twice = std::ranges::adjacent_find(items); twice != items.end()) {
        return bad(
            fmt::format("slots shows item \"{}\" twice", *twice), "log each item of a slate once"
        );
    }
    return {};
}

Result<void> check_candidates(const ImpressionRow& impression) {
    if (impression.candidates.empty()) {
        return {};  // the support was not logged
    }
    std::vector<std::string_view> known{impression.candidates.begin(), impression.candidates.end()};
    std::ranges::sort(known);
    if (const auto twice = std::ranges::adjacent_find(known); twice != known.end()) {
        return bad(
            fmt::format("candidates has item \"{}\" twice", *twice), "log each candidate once"
        );
    }
    if (const auto problem = id_problem(known.front()); !problem.empty()) {
        return bad(fmt::format("a candidate's id {}", problem), "name every candidate");
    }
    for (const auto& slot : impression.slots) {
        if (!std::ranges::binary_search(known, std::string_view{slot.item_id})) {
            return bad(
                fmt::format(
                    "slots shows item \"{}\", which is not among the {} candidates",
                    slot.item_id,
                    known.size()
                ),
                "log all the candidates the policy chose from"
            );
        }
    }
    return {};
}

/// The propensity of a slate given beside those of its slots is their product.
Result<void> check_product(const ImpressionRow& impression) {
    const double whole = impression.slate_propensity();
    if (std::isnan(whole)) {
        return {};
    }
    if (auto fine = check_propensity(whole, "propensity"); !fine) {
        return fine;
    }
    double product = 1;
    for (const auto& slot : impression.slots) {
        product *= slot.propensity;
    }
    constexpr double tolerance = 1e-6;  // of producers that print seven digits
    if (std::abs(product - whole) > tolerance * product) {
        return bad(
            fmt::format("propensity is {}, the product of the slots' is {}", whole, product),
            "log each slot's probability given the slots above it"
        );
    }
    return {};
}

Result<void> check_off_policy(const ImpressionRow& impression) {
    if (impression.deterministic) {
        return bad(
            "deterministic is true: a policy that could not have chosen otherwise says nothing "
            "about another one",
            "serve with epsilon > 0 or temperature > 0 and evaluate on that log"
        );
    }
    constexpr double certain = 1 - 1e-12;
    if (impression.candidates.size() > 1 && impression.slate_propensity() >= certain) {
        return bad(
            fmt::format(
                "propensity is 1 with {} candidates: the policy looks deterministic, which says "
                "nothing about another one",
                impression.candidates.size()
            ),
            "serve with epsilon > 0 or temperature > 0 and evaluate on that log"
        );
    }
    if (std::isnan(impression.slate_reward())) {
        return bad(
            "reward is missing", "give it for the decision or for every slot; 0 is a reward"
        );
    }
    return {};
}

/// The shortest digits that read back as the same bits; JSON's -0 would come back as the integer 0.
template <typename Number>
void append_digits(std::string& out, Number number) {
    if (number == 0 && std::signbit(number)) {
        out += "-0.0";
        return;
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// ,"key":number where it was given.
void append_number(std::string& out, std::string_view key, double number) {
    if (!std::isnan(number)) {
        out += ",\"";
        out += key;
        out += "\":";
        append_digits(out, number);
    }
}

void append_text(std::string& out, std::string_view text) {
    out += '"';
    std::size_t copied = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_control = static_cast<unsigned char>(c) < ' ';
        if (c != '"' && c != '\\' && !is_control) {
            continue;
        }
        out += text.substr(copied, i - copied);
        copied = i + 1;
        if (is_control) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += '\\';
            out += c;
        }
    }
    out += text.substr(copied);
    out += '"';
}

void append_texts(std::string& out, std::string_view key, std::span<const std::string> texts) {
    if (texts.empty()) {
        return;
    }
    fmt::format_to(std::back_inserter(out), ",\"{}\":[", key);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        out += i > 0 ? "," : "";
        append_text(out, texts[i]);
    }
    out += ']';
}

void append_floats(std::string& out, std::span<const float> numbers) {
    out += '[';
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        out += i > 0 ? "," : "";
        append_digits(out, numbers[i]);
    }
    out += ']';
}

void append_features(std::string& out, const ImpressionRow& impression) {
    if (impression.candidate_features.empty()) {
        return;
    }
    const std::span<const float> all{impression.candidate_features};
    const std::size_t dim = all.size() / impression.candidates.size();
    out += ",\"candidate_features\":[";
    for (std::size_t i = 0; i < impression.candidates.size(); ++i) {
        out += i > 0 ? "," : "";
        append_floats(out, all.subspan(i * dim, dim));
    }
    out += ']';
}

void append_slot(std::string& out, const LoggedSlot& slot) {
    out += "{\"item_id\":";
    append_text(out, slot.item_id);
    append_number(out, "propensity", slot.propensity);
    append_number(out, "reward", slot.reward);
    if (slot.clicked) {
        out += *slot.clicked ? ",\"clicked\":true" : ",\"clicked\":false";
    }
    if (slot.purchased) {
        out += *slot.purchased ? ",\"purchased\":true" : ",\"purchased\":false";
    }
    append_number(out, "value", slot.value);
    append_number(out, "rating", slot.rating);
    if (slot.position) {
        fmt::format_to(std::back_inserter(out), ",\"position\":{}", *slot.position);
    }
    out += '}';
}

}  // namespace

double ImpressionRow::slate_propensity() const {
    if (!std::isnan(propensity)) {
        return propensity;
    }
    double product = 1;
    for (const auto& slot : slots) {
        product *= slot.propensity;
    }
    return product;
}

double ImpressionRow::slate_reward() const {
    if (!std::isnan(reward)) {
        return reward;
    }
    double sum = slots.empty() ? no_number : 0;
    for (const auto& slot : slots) {
        sum += slot.reward;
    }
    return sum;
}

Result<void> check_impression(const ImpressionRow& impression, Purpose purpose) {
    if (auto fine = check_slots(impression, purpose); !fine) {
        return fine;
    }
    if (auto fine = check_candidates(impression); !fine) {
        return fine;
    }
    if (auto fine = check_product(impression); !fine) {
        return fine;
    }
    if (auto fine = check_given(impression.slate_reward(), "reward"); !fine) {
        return fine;
    }
    return purpose == Purpose::off_policy ? check_off_policy(impression) : Result<void>{};
}

void append_json(const ImpressionRow& impression, std::string& out) {
    out += "{\"recommendation_id\":";
    append_text(out, impression.recommendation_id);
    out += ",\"user_id\":";
    append_text(out, impression.user_id);
    if (!impression.segment.empty()) {
        out += ",\"segment\":";
        append_text(out, impression.segment);
    }
    if (impression.timestamp) {
        fmt::format_to(std::back_inserter(out), ",\"timestamp\":{}", *impression.timestamp);
    }
    out += ",\"policy\":";
    append_text(out, impression.policy);
    out += impression.deterministic ? ",\"deterministic\":true" : ",\"deterministic\":false";
    if (!impression.state.empty()) {
        out += ",\"state\":";
        append_floats(out, impression.state);
    }
    append_texts(out, "candidates", impression.candidates);
    append_features(out, impression);
    append_texts(out, "history", impression.history);
    out += ",\"slots\":[";
    for (std::size_t i = 0; i < impression.slots.size(); ++i) {
        out += i > 0 ? "," : "";
        append_slot(out, impression.slots[i]);
    }
    out += ']';
    append_number(out, "propensity", impression.propensity);
    append_number(out, "reward", impression.reward);
    if (impression.ended) {
        out += *impression.ended ? ",\"ended\":true" : ",\"ended\":false";
    }
    out += "}\n";
}

}  // namespace hg::data
