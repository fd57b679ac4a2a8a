// SPDX-License-Identifier: Apache-2.0
// JsonFields: fields of a JSON object as ids, numbers and lists, refused by name when they are
// something else.
//
// What the line parsers (queries, impressions, probabilities) share. `hint` is an example of a good
// line. Borrows the hint; holds nothing else.
//
//   const JsonFields read{R"(for example {"user_id": "7"})"};
//   HG_TRY(auto user, read.id(value, "user_id"));
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

class JsonFields {
  public:
    explicit constexpr JsonFields(std::string_view hint) : hint_(hint) {}

    using Value = simdjson::dom::element;

    /// The line as an object. `parser` owns what the object borrows.
    [[nodiscard]] Result<simdjson::dom::object> object(
        simdjson::dom::parser& parser, std::string_view line
    ) const;
    /// A text, or an integer as its digits.
    [[nodiscard]] Result<std::string> id(const Value& value, std::string_view where) const;
    [[nodiscard]] Result<std::vector<std::string>> ids(const Value& value, std::string_view where)
        const;
    [[nodiscard]] Result<double> number(const Value& value, std::string_view where) const;
    [[nodiscard]] Result<bool> truth(const Value& value, std::string_view where) const;
    [[nodiscard]] Result<TimeMs> time(const Value& value, std::string_view where) const;
    [[nodiscard]] Result<simdjson::dom::array> list(
        const Value& value, std::string_view where, std::string_view expected
    ) const;
    [[nodiscard]] Result<std::vector<float>> floats(const Value& value, std::string_view where)
        const;
    /// "WHERE is a list, expected EXPECTED".
    [[nodiscard]] std::unexpected<Error> wrong(
        std::string_view where, const Value& found, std::string_view expected
    ) const;

  private:
    std::string_view hint_;
};

}  // namespace hg::data
