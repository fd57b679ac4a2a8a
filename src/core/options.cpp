// SPDX-License-Identifier: Apache-2.0
#include "core/options.hpp"

#include "core/file.hpp"
#include "core/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <utility>

namespace hg {
namespace {

struct TypeName {
    std::string operator()(const std::int64_t*) const { return "integer"; }

    std::string operator()(const double*) const { return "number"; }

    std::string operator()(const bool*) const { return "true or false"; }

    std::string operator()(const std::string*) const { return "text"; }

    std::string operator()(const std::vector<std::string>*) const { return "list of texts"; }
};

struct ValueText {
    std::string operator()(const std::int64_t* v) const { return fmt::format("{}", *v); }

    std::string operator()(const double* v) const { return fmt::format("{}", *v); }

    std::string operator()(const bool* v) const { return *v ? "true" : "false"; }

    std::string operator()(const std::string* v) const { return *v; }

    std::string operator()(const std::vector<std::string>* v) const {
        return fmt::format("[{}]", fmt::join(*v, ", "));
    }
};

std::string toml_string(std::string_view text) {
    return nlohmann::json(text).dump();  // the basic strings of TOML are escaped alike
}

/// As a TOML file writes it.
struct TomlText : ValueText {
    using ValueText::operator();

    std::string operator()(const std::string* v) const { return toml_string(*v); }

    std::string operator()(const std::vector<std::string>* v) const {
        std::vector<std::string> words;
        std::ranges::transform(*v, std::back_inserter(words), toml_string);
        return fmt::format("[{}]", fmt::join(words, ", "));
    }
};

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\"'");
    if (first == std::string_view::npos) {
        return {};
    }
    const auto last = text.find_last_not_of(" \t\"'");
    return text.substr(first, last - first + 1);
}

/// Parses `text` into the field; false when it is not of the field's type.
struct Parse {
    std::string_view text;

    bool operator()(std::int64_t* field) const { return number(field); }

    bool operator()(double* field) const { return number(field); }

    bool operator()(bool* field) const {
        if (text == "true" || text == "1" || text == "yes") {
            return *field = true;
        }
        *field = false;
        return text == "false" || text == "0" || text == "no";
    }

    bool operator()(std::string* field) const {
        *field = trimmed(text);
        return true;
    }

    bool operator()(std::vector<std::string>* field) const {
        auto rest = trimmed(text);
        if (rest.starts_with('[') && rest.ends_with(']')) {
            rest = rest.substr(1, rest.size() - 2);
        }
        field->clear();
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            if (const auto word = trimmed(rest.substr(0, comma)); !word.empty()) {
                field->emplace_back(word);
            }
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
        return true;
    }

  private:
    template <typename T>
    bool number(T* field) const {
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *field);
        return code == std::errc{} && end == text.data() + text.size();
    }
};

bool in_limits(const OptionInfo& option) {
    const auto& limits = option.limits;
    if (const auto* const* number = std::get_if<std::int64_t*>(&option.field)) {
        const auto value = static_cast<double>(**number);
        return value >= limits.min && value <= limits.max;
    }
    if (const auto* const* number = std::get_if<double*>(&option.field)) {
        return **number >= limits.min && **number <= limits.max;
    }
    if (const auto* const* word = std::get_if<std::string*>(&option.field)) {
        return limits.choices.empty() ||
               std::ranges::find(limits.choices, **word) != limits.choices.end();
    }
    return true;
}

void flatten(
    const toml::table& table, const std::string& prefix, const std::string& file, Settings& out
) {
    for (const auto& [key, node] : table) {
        const auto path =
            prefix.empty() ? std::string{key.str()} : prefix + "." + std::string{key.str()};
        if (const auto* inner = node.as_table()) {
            flatten(*inner, path, file, out);
            continue;
        }
        std::ostringstream text;
        node.visit([&text](const auto& value) { text << value; });
        const auto where = node.source().begin;
        out.set(path, text.str(), fmt::format("{}:{}:{}", file, where.line, where.column));
    }
}

}  // namespace

std::string OptionInfo::type_name() const {
    return std::visit(TypeName{}, field);
}

std::string OptionInfo::value_text() const {
    return std::visit(ValueText{}, field);
}

std::string OptionInfo::toml_text() const {
    return std::visit(TomlText{}, field);
}

std::string OptionInfo::limits_text() const {
    if (!limits.choices.empty()) {
        return fmt::format("{}", fmt::join(limits.choices, " | "));
    }
    const bool has_min = std::isfinite(limits.min);
    const bool has_max = std::isfinite(limits.max);
    if (has_min && has_max) {
        return fmt::format("{} .. {}", limits.min, limits.max);
    }
    if (has_min) {
        return fmt::format(">= {}", limits.min);
    }
    if (has_max) {
        return fmt::format("<= {}", limits.max);
    }
    return {};
}

void Settings::set(std::string key, std::string text, std::string origin) {
    values_.insert_or_assign(std::move(key), Value{std::move(text), std::move(origin)});
}

void Settings::set_assignment(std::string_view assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--set \"{}\" is not of the form key=value", assignment),
            "for example --set learning_rate=0.001",
        };
    }
    set(std::string{assignment.substr(0, equals)}, std::string{assignment.substr(equals + 1)});
}

Settings Settings::section(std::string_view prefix) const {
    Settings part;
    const auto wanted = std::string{prefix} + ".";
    part.section_ = section_ + wanted;
    for (const auto& [key, value] : values_) {
        if (key.starts_with(wanted)) {
            part.values_.emplace(key.substr(wanted.size()), value);
        }
    }
    return part;
}

Settings Settings::without_sections(std::span<const std::string> prefixes) const {
    Settings rest;
    rest.section_ = section_;
    for (const auto& [key, value] : values_) {
        const bool is_inside = std::ranges::any_of(prefixes, [&key](const std::string& prefix) {
            return key.starts_with(prefix + ".");
        });
        if (!is_inside) {
            rest.values_.emplace(key, value);
        }
    }
    return rest;
}

void Settings::assign(const std::vector<OptionInfo>& options) const {
    std::vector<std::string_view> names;
    names.reserve(options.size());
    for (const auto& option : options) {
        names.emplace_back(option.name);
    }
    for (const auto& [key, value] : values_) {
        const auto option = std::ranges::find(options, key, &OptionInfo::name);
        if (option == options.end()) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{}: unknown key {}{}", value.origin, section_, key),
                suggest(key, names, section_),
            };
        }
        const bool parsed = std::visit(Parse{trimmed(value.text)}, option->field);
        if (!parsed || !in_limits(*option)) {
            const auto limits = option->limits_text();
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format(
                    "{}: {}{} = {} is not a valid value", value.origin, section_, key, value.text
                ),
                fmt::format(
                    "expected {}{}{} ({})",
                    option->type_name(),
                    limits.empty() ? "" : " in ",
                    limits,
                    option->help
                ),
            };
        }
    }
}

nlohmann::json Settings::resolve(DescribeOptions describe) const {
    std::vector<OptionInfo> known;
    nlohmann::json resolved = nlohmann::json::object();
    describe([&known](const OptionInfo& option) { known.push_back(option); });
    for (const auto& [key, value] : values_) {
        if (std::ranges::find(known, key, &OptionInfo::name) == known.end()) {
            assign(known);
        }
    }
    describe([&](const OptionInfo& option) {
        Settings own;
        own.section_ = section_;
        if (const auto found = values_.find(option.name); found != values_.end()) {
            own.values_.insert(*found);
        }
        own.assign({option});
        resolved.update(option_values_json({option}));
    });
    return resolved;
}

Settings Settings::from_json(const nlohmann::json& resolved, std::string_view origin) {
    const auto text = [](const nlohmann::json& value) {
        return value.is_string() ? value.get<std::string>() : value.dump();
    };
    Settings settings;
    for (const auto& [key, value] : resolved.items()) {
        if (!value.is_array()) {
            settings.set(key, text(value), std::string{origin});
            continue;
        }
        std::vector<std::string> words;
        for (const auto& word : value) {
            words.push_back(text(word));
        }
        settings.set(key, fmt::format("[{}]", fmt::join(words, ", ")), std::string{origin});
    }
    return settings;
}

nlohmann::json option_values_json(const std::vector<OptionInfo>& options) {
    nlohmann::json values = nlohmann::json::object();
    for (const auto& option : options) {
        std::visit([&](const auto* field) { values[option.name] = *field; }, option.field);
    }
    return values;
}

Settings parse_settings(std::string_view toml, std::string_view name) {
    Settings settings;
    try {
        flatten(toml::parse(toml, name), "", std::string{name}, settings);
    } catch (const toml::parse_error& error) {
        const auto where = error.source().begin;
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}:{}:{}: {}", name, where.line, where.column, error.description()),
            "expected TOML: key = value, one a line",
        };
    }
    return settings;
}

Settings load_settings(
    const std::optional<std::filesystem::path>& file, const std::vector<std::string>& assignments
) {
    if (!file) {
        return load_settings(Settings{}, assignments);
    }
    const auto text = value_or_throw(read_file(*file));
    return load_settings(parse_settings(text, file->string()), assignments);
}

Settings load_settings(Settings base, const std::vector<std::string>& assignments) {
    auto settings = std::move(base);
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view variable{*entry};
        if (!variable.starts_with("HG_SET_")) {
            continue;
        }
        const auto equals = variable.find('=');
        auto key = std::string{variable.substr(7, equals - 7)};
        std::ranges::transform(key, key.begin(), [](unsigned char c) {
            return static_cast<char>(std::tolower(c));
        });
        settings.set(
            key, std::string{variable.substr(equals + 1)}, std::string{variable.substr(0, equals)}
        );
    }
    for (const auto& assignment : assignments) {
        settings.set_assignment(assignment);
    }
    return settings;
}

}  // namespace hg
