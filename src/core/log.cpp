// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace hg::log {
namespace {

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = spdlog::stderr_logger_mt("honeyguide");
        made->set_pattern("%H:%M:%S %L %v");
        return made;
    }();
    return *instance;
}

void write(
    spdlog::level::level_enum level, std::string_view event, std::initializer_list<Field> fields
) {
    auto& out = logger();
    if (!out.should_log(level)) {
        return;
    }
    std::string line{event};
    for (const auto& field : fields) {
        const bool quoted = field.value.empty() || field.value.find(' ') != std::string::npos;
        line += fmt::format(
            " {}={}{}{}", field.key, quoted ? "\"" : "", field.value, quoted ? "\"" : ""
        );
    }
    out.log(level, line);
}

}  // namespace

std::string Field::number(double v) {
    return fmt::format("{:.6g}", v);
}

void set_level(Level level) {
    switch (level) {
        case Level::debug:
            logger().set_level(spdlog::level::debug);
            break;
        case Level::info:
            logger().set_level(spdlog::level::info);
            break;
        case Level::warn:
            logger().set_level(spdlog::level::warn);
            break;
        case Level::error:
            logger().set_level(spdlog::level::err);
            break;
        case Level::off:
            logger().set_level(spdlog::level::off);
            break;
    }
}

void debug(std::string_view event, std::initializer_list<Field> fields) {
    write(spdlog::level::debug, event, fields);
}

void info(std::string_view event, std::initializer_list<Field> fields) {
    write(spdlog::level::info, event, fields);
}

void warn(std::string_view event, std::initializer_list<Field> fields) {
    write(spdlog::level::warn, event, fields);
}

void error(std::string_view event, std::initializer_list<Field> fields) {
    write(spdlog::level::err, event, fields);
}

}  // namespace hg::log
