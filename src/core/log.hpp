// SPDX-License-Identifier: Apache-2.0
// Log: key=value events on stderr; thin, spdlog behind it.
//
// error = someone must act, warn = we coped, info = a milestone, debug = off by default.
// Never user ids or texts above debug.
//
//   log::info("epoch", {{"n", 3}, {"loss", 0.41}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace hg::log {

enum class Level : std::uint8_t { debug, info, warn, error, off };

/// One key=value of an event; the value is rendered at once.
struct Field {
    template <typename T>
    Field(std::string_view field_key, const T& field_value)
        : key(field_key), value(text(field_value)) {}

    std::string_view key;
    std::string value;

  private:
    template <typename T>
    static std::string text(const T& v) {
        if constexpr (std::is_same_v<T, bool>) {
            return v ? "true" : "false";
        } else if constexpr (std::is_floating_point_v<T>) {
            return number(static_cast<double>(v));
        } else if constexpr (std::is_integral_v<T>) {
            return std::to_string(v);
        } else {
            return std::string{std::string_view{v}};
        }
    }

    static std::string number(double v);
};

void set_level(Level level);

void debug(std::string_view event, std::initializer_list<Field> fields = {});
void info(std::string_view event, std::initializer_list<Field> fields = {});
void warn(std::string_view event, std::initializer_list<Field> fields = {});
void error(std::string_view event, std::initializer_list<Field> fields = {});

}  // namespace hg::log
