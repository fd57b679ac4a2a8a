// SPDX-License-Identifier: Apache-2.0
// VersionReader: the numbers of a version text such as "knobs(exploration=0.3,novelty=0)" read
// again, name by name.
//
//   VersionReader reader{text};
//   const bool is_read = reader.number("knobs(exploration=", e) && reader.text(")");
#pragma once

#include <charconv>
#include <string_view>
#include <system_error>

namespace hg::policy {

class VersionReader {
  public:
    explicit VersionReader(std::string_view text) : left_(text) {}

    [[nodiscard]] bool text(std::string_view expected) {
        const bool is_there = left_.starts_with(expected);
        left_.remove_prefix(is_there ? expected.size() : 0);
        return is_there;
    }

    /// The number after the name; it is left as it was where it is not there.
    template <typename Number>
    [[nodiscard]] bool number(std::string_view name, Number& value) {
        if (!text(name)) {
            return false;
        }
        const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), value);
        left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
        return error == std::errc{};
    }

    [[nodiscard]] std::string_view left() const noexcept { return left_; }

  private:
    std::string_view left_;
};

}  // namespace hg::policy
