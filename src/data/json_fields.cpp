// SPDX-License-Identifier: Apache-2.0
#include "data/json_fields.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace hg::data {
namespace {

namespace dom = simdjson::dom;

std::string_view kind_of(const dom::element& value) {
    switch (value.type()) {
        case dom::element_type::ARRAY:
            return "a list";
        case dom::element_type::OBJECT:
            return "an object";
        case dom::element_type::STRING:
            return "a text";
        case dom::element_type::BOOL:
            return "true or false";
        case dom::element_type::NULL_VALUE:
            return "null";
        default:
            return "a number";
    }
}

}  // namespace

std::unexpected<Error> JsonFields::wrong(
    std::string_view where, const Value& found, std::string_view expected
) const {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{} is {}, expected {}", where, kind_of(found), expected),
        std::string{hint_}
    );
}

Result<dom::object> JsonFields::object(dom::parser& parser, std::string_view line) const {
    dom::element root;
    if (const auto code = parser.parse(line.data(), line.size()).get(root);
        code != simdjson::SUCCESS) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("not JSON: {}", simdjson::error_message(code)),
            fmt::format("one object a line, {}", hint_)
        );
    }
    dom::object object;
    if (root.get_object().get(object) != simdjson::SUCCESS) {
        return wrong("the line", root, "an object");
    }
    return object;
}

Result<std::string> JsonFields::id(const Value& value, std::string_view where) const {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
        return std::string{text};
    }
    std::int64_t number = 0;
    if (value.get_int64().get(number) == simdjson::SUCCESS) {
        return std::to_string(number);
    }
    std::uint64_t large = 0;
    if (value.get_uint64().get(large) == simdjson::SUCCESS) {
        return std::to_string(large);
    }
    return wrong(where, value, "an id (a text or an integer)");
}

Result<dom::array> JsonFields::list(
    const Value& value, std::string_view where, std::string_view expected
) const {
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
        return wrong(where, value, expected);
    }
    return list;
}

Result<std::vector<std::string>> JsonFields::ids(const Value& value, std::string_view where) const {
    HG_TRY(const auto entries, list(value, where, "a list of ids"));
    std::vector<std::string> ids;
    for (const auto entry : entries) {
        if (std::string_view text; entry.get_string().get(text) == simdjson::SUCCESS) {
            ids.emplace_back(text);  // the usual case does without naming its place
            continue;
        }
        HG_TRY(auto one, id(entry, fmt::format("{}[{}]", where, ids.size())));
        ids.push_back(std::move(one));
    }
    return ids;
}

Result<double> JsonFields::number(const Value& value, std::string_view where) const {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
        return wrong(where, value, "a number");
    }
    return number;
}

Result<bool> JsonFields::truth(const Value& value, std::string_view where) const {
    bool truth = false;
    if (value.get_bool().get(truth) != simdjson::SUCCESS) {
        return wrong(where, value, "true or false");
    }
    return truth;
}

Result<TimeMs> JsonFields::time(const Value& value, std::string_view where) const {
    HG_TRY(const auto time, number(value, where));
    constexpr double limit = 9e15;  // beyond it a double no longer counts milliseconds
    if (std::abs(time) > limit) {
        return wrong(where, value, "milliseconds since 1970");
    }
    return static_cast<TimeMs>(time);
}

Result<std::vector<float>> JsonFields::floats(const Value& value, std::string_view where) const {
    HG_TRY(const auto entries, list(value, where, "a list of numbers"));
    std::vector<float> numbers;
    for (const auto entry : entries) {
        double number = 0;
        if (entry.get_double().get(number) != simdjson::SUCCESS ||
            std::abs(number) > std::numeric_limits<float>::max()) {
            return wrong(fmt::format("{}[{}]", where, numbers.size()), entry, "a 32-bit number");
        }
        numbers.push_back(static_cast<float>(number));
    }
    return numbers;
}

}  // namespace hg::data
