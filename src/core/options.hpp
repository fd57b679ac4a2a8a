// SPDX-License-Identifier: Apache-2.0
// Options declared once: field, default, range and one line of help give parsing, the refusal of
// unknown keys, --help, docs/reference and the resolved config of a run's manifest.
//
// An options struct is plain data with defaults and one static function:
//
//   struct EaseOptions {
//       double lambda = 500;
//       static void describe(OptionBinder& bind, EaseOptions& o) {
//           bind("lambda", o.lambda, "L2 penalty", {.min = 1e-3, .max = 1e7});
//       }
//   };
//   const auto options = settings.section("model.ease").read<EaseOptions>();
//
// Order of precedence, lowest first: default < config file < HG_SET_<KEY> environment < --set key=value
// (layered by load_settings). Keys are dotted paths: "learning_rate", "blend.rankers".
#pragma once

#include "core/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hg {

/// Numeric bounds (inclusive) or, for strings, the permitted words (empty = any).
struct OptionLimits {
    double min = -std::numeric_limits<double>::infinity();
    double max = std::numeric_limits<double>::infinity();
    std::vector<std::string_view> choices{};
};

/// A pointer to the field behind an option; the pointee outlives the binder.
using OptionField =
    std::variant<std::int64_t*, double*, bool*, std::string*, std::vector<std::string>*>;

struct OptionInfo {
    std::string name;
    std::string help;
    OptionLimits limits;
    OptionField field;

    [[nodiscard]] std::string type_name() const;
    /// As --set takes it.
    [[nodiscard]] std::string value_text() const;
    /// As a file for --config has it.
    [[nodiscard]] std::string toml_text() const;
    /// "1 .. 100" or "a | b", empty when unlimited.
    [[nodiscard]] std::string limits_text() const;
};

class OptionBinder {
  public:
    template <typename T>
    void operator()(
        std::string_view name, T& field, std::string_view help, OptionLimits limits = {}
    ) {
        options_.push_back({std::string{name}, std::string{help}, std::move(limits), &field});
    }

    [[nodiscard]] const std::vector<OptionInfo>& options() const noexcept { return options_; }

  private:
    std::vector<OptionInfo> options_;
};

/// Calls `visit` for each option of a struct, at its default: for --help and the reference pages.
using DescribeOptions = void (*)(const std::function<void(const OptionInfo&)>& visit);

/// Key -> text, each with the place it came from, so that an error can name file:line:column.
class Settings {
  public:
    struct Value {
        std::string text;    // a TOML value as text: 3, 0.5, true, word, [a, b]
        std::string origin;  // "train.toml:3:1", "--set", "HG_SET_SEED"
    };

    Settings() = default;

    void set(std::string key, std::string text, std::string origin = "--set");
    /// Parses "key=value".
    void set_assignment(std::string_view assignment);
    /// Everything under "prefix." with the prefix cut off.
    [[nodiscard]] Settings section(std::string_view prefix) const;
    /// Everything but "prefix.*" of these prefixes: what is left for the owner of the sections.
    [[nodiscard]] Settings without_sections(std::span<const std::string> prefixes) const;

    [[nodiscard]] const std::map<std::string, Value>& values() const noexcept { return values_; }

    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

    /// Fills an options struct; every key must be known to it, each value in range. Throws Error.
    template <typename T>
    [[nodiscard]] T read() const {
        T options{};
        OptionBinder bind;
        T::describe(bind, options);
        assign(bind.options());
        return options;
    }

    /// Every option with its value after these settings, for manifests. Refuses what read()
    /// refuses.
    [[nodiscard]] nlohmann::json resolve(DescribeOptions describe) const;
    /// The reverse: settings that read() as the resolved values of a manifest.
    [[nodiscard]] static Settings from_json(
        const nlohmann::json& resolved, std::string_view origin
    );

  private:
    void assign(const std::vector<OptionInfo>& options) const;

    std::map<std::string, Value> values_;
    std::string section_;  // "world.": what messages put before the keys
};

template <typename T>
void describe_options(const std::function<void(const OptionInfo&)>& visit) {
    T defaults{};
    OptionBinder bind;
    T::describe(bind, defaults);
    for (const auto& option : bind.options()) {
        visit(option);
    }
}

/// The resolved values of an options struct, for manifests.
[[nodiscard]] nlohmann::json option_values_json(const std::vector<OptionInfo>& options);

template <typename T>
[[nodiscard]] nlohmann::json options_json(T options) {
    OptionBinder bind;
    T::describe(bind, options);
    return option_values_json(bind.options());
}

/// Of the text of a TOML file; `name` stands in messages. Throws Error.
[[nodiscard]] Settings parse_settings(std::string_view toml, std::string_view name);

/// `base` < HG_SET_<KEY> environment < assignments "key=value".
[[nodiscard]] Settings load_settings(Settings base, const std::vector<std::string>& assignments);

/// default < `file` (TOML, optional) < HG_SET_<KEY> environment < assignments "key=value".
[[nodiscard]] Settings load_settings(
    const std::optional<std::filesystem::path>& file, const std::vector<std::string>& assignments
);

}  // namespace hg
