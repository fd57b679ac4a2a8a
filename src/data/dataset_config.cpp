// SPDX-License-Identifier: Apache-2.0
#include "data/dataset_config.hpp"

#include "core/file.hpp"
#include "core/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace hg::data {
namespace {

using Names = std::vector<std::string_view>;

/// Walks the parsed tables; throws Error at the first thing that is wrong.
class ConfigReader {
  public:
    explicit ConfigReader(std::string_view file) : file_(file) {}

    DatasetConfig read(const toml::table& root) {
        const Names known{
            "name",
            "time",
            "time_unit",
            "repeats",
            "importers",
            "columns",
            "events",
            "rating",
            "items",
            "users",
        };
        refuse_unknown(root, known, "");
        if (const auto* node = root.get("name")) {
            config_.name = text(*node, "name");
        }
        if (const auto* node = root.get("time")) {
            config_.time = word<TimeKind>(
                *node,
                "time",
                {{"real", TimeKind::real}, {"order", TimeKind::order}, {"none", TimeKind::none}}
            );
        }
        if (const auto* node = root.get("time_unit")) {
            config_.time_unit = word<TimeUnit>(
                *node,
                "time_unit",
                {{"s", TimeUnit::seconds},
                 {"ms", TimeUnit::milliseconds},
                 {"us", TimeUnit::microseconds}}
            );
        }
        if (const auto* node = root.get("repeats")) {
            const auto flag = node->value_exact<bool>();
            if (!flag) {
                wrong(*node, "repeats", "true or false");
            }
            config_.repeats = *flag;
        }
        if (const auto* node = root.get("importers")) {
            config_.importers = word<Importers>(
                *node,
                "importers",
                {{"by_columns", Importers::by_columns}, {"none", Importers::none}}
            );
        }
        if (const auto* node = root.get("columns")) {
            read_columns(table(*node, "columns"));
        }
        if (const auto* node = root.get("events")) {
            read_events(table(*node, "events"));
        }
        if (const auto* node = root.get("rating")) {
            read_rating(table(*node, "rating"));
        }
        if (const auto* node = root.get("items")) {
            read_table(table(*node, "items"), "items", config_.items);
        }
        if (const auto* node = root.get("users")) {
            read_table(table(*node, "users"), "users", config_.users);
        }
        return std::move(config_);
    }

  private:
    void read_columns(const toml::table& columns) {
        Names known;
        for (const auto role : all_roles) {
            known.push_back(to_string(role));
        }
        refuse_unknown(columns, known, "columns.");
        for (const auto role : all_roles) {
            if (const auto* node = columns.get(to_string(role))) {
                config_.columns[role] = text(*node, fmt::format("columns.{}", to_string(role)));
            }
        }
    }

    void read_events(const toml::table& events) {
        refuse_unknown(
            events, {"weights", "positive", "negative", "other", "purchases"}, "events."
        );
        if (const auto* node = events.get("purchases")) {
            config_.purchases.emplace();
            for (const auto& entry : list(*node, "events.purchases")) {
                config_.purchases->insert(text(entry, "events.purchases"));
            }
        }
        if (const auto* node = events.get("positive")) {
            give_weight(*node, "events.positive", 1.0F);
        }
        if (const auto* node = events.get("negative")) {
            give_weight(*node, "events.negative", -1.0F);
        }
        if (const auto* node = events.get("weights")) {
            for (const auto& [key, value] : table(*node, "events.weights")) {
                config_.weights[std::string{key.str()}] =
                    number(value, fmt::format("events.weights.{}", key.str()));
            }
        }
        if (const auto* node = events.get("other")) {
            config_.default_weight = number(*node, "events.other");
        }
        if (!config_.default_weight && events.contains("positive")) {
            config_.default_weight = 0.0F;
        }
    }

    const toml::array& list(const toml::node& node, std::string_view key) const {
        const auto* entries = node.as_array();
        if (entries == nullptr) {
            wrong(node, key, "a list of event types");
        }
        return *entries;
    }

    void give_weight(const toml::node& node, std::string_view key, float weight) {
        for (const auto& entry : list(node, key)) {
            config_.weights[text(entry, key)] = weight;
        }
    }

    void read_rating(const toml::table& rating) {
        refuse_unknown(rating, {"threshold", "below"}, "rating.");
        if (const auto* node = rating.get("threshold")) {
            config_.rating_threshold = number(*node, "rating.threshold");
        }
        if (const auto* node = rating.get("below")) {
            config_.rating_below = number(*node, "rating.below");
            if (config_.rating_below > 0) {
                wrong(*node, "rating.below", "0 or a negative weight");
            }
        }
    }

    void read_table(const toml::table& section, std::string_view name, TableConfig& out) {
        refuse_unknown(section, {"id", "fields"}, fmt::format("{}.", name));
        if (const auto* node = section.get("id")) {
            out.id = text(*node, fmt::format("{}.id", name));
        }
        const auto* fields = section.get("fields");
        if (fields == nullptr) {
            return;
        }
        for (const auto& [key, value] : table(*fields, fmt::format("{}.fields", name))) {
            const auto kind = word<std::optional<FieldKind>>(
                value,
                fmt::format("{}.fields.{}", name, key.str()),
                {{"text", FieldKind::text},
                 {"category", FieldKind::category},
                 {"categories", FieldKind::categories},
                 {"number", FieldKind::number},
                 {"link", FieldKind::link},
                 {"ignore", std::nullopt}}
            );
            out.fields[std::string{key.str()}] = {.kind = kind, .is_ignored = !kind.has_value()};
        }
    }

    void refuse_unknown(const toml::table& section, const Names& known, std::string_view prefix)
        const {
        for (const auto& [key, value] : section) {
            if (std::ranges::find(known, key.str()) != known.end()) {
                continue;
            }
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{}: unknown key {}{}", place(key.source()), prefix, key.str()),
                suggest(key.str(), known),
            };
        }
    }

    const toml::table& table(const toml::node& node, std::string_view key) const {
        if (!node.is_table()) {
            wrong(node, key, fmt::format("a table, [{}]", key));
        }
        return *node.as_table();
    }

    std::string text(const toml::node& node, std::string_view key) const {
        const auto value = node.value_exact<std::string>();
        if (!value || value->empty()) {
            wrong(node, key, "a text");
        }
        return *value;
    }

    float number(const toml::node& node, std::string_view key) const {
        const auto value = node.value<double>();
        if (!node.is_number() || !value || !std::isfinite(*value)) {
            wrong(node, key, "a number");
        }
        return static_cast<float>(*value);
    }

    template <typename T>
    T word(
        const toml::node& node,
        std::string_view key,
        std::initializer_list<std::pair<std::string_view, T>> words
    ) const {
        const auto value = node.value_exact<std::string>();
        Names known;
        for (const auto& [name, meaning] : words) {
            if (value == name) {
                return meaning;
            }
            known.push_back(name);
        }
        wrong(node, key, fmt::format("\"{}\"", fmt::join(known, "\" or \"")));
    }

    [[noreturn]] void wrong(const toml::node& node, std::string_view key, std::string_view expected)
        const {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: {} is not what was expected", place(node.source()), key),
            fmt::format("give {}", expected),
        };
    }

    [[nodiscard]] std::string place(const toml::source_region& source) const {
        return fmt::format("{}:{}:{}", file_, source.begin.line, source.begin.column);
    }

    std::string_view file_;
    DatasetConfig config_;
};

}  // namespace

float default_event_weight(std::string_view event_type) {
    constexpr std::array<std::string_view, 10> refusals{
        "dislike",
        "thumbsdown",
        "downvote",
        "notinterested",
        "hide",
        "block",
        "report",
        "reject",
        "unsubscribe",
        "return",
    };
    constexpr std::array<std::string_view, 7> unmoved{
        "skip",
        "skipped",
        "impression",
        "shown",
        "show",
        "exposure",
        "noclick",
    };
    const auto plain = plain_name(event_type);
    if (std::ranges::find(refusals, plain) != refusals.end()) {
        return -1.0F;
    }
    if (std::ranges::find(unmoved, plain) != unmoved.end()) {
        return 0.0F;
    }
    return 1.0F;
}

float DatasetConfig::weight_of(std::string_view event_type) const {
    const auto found = weights.find(std::string{event_type});
    if (found != weights.end()) {
        return found->second;
    }
    return default_weight.value_or(default_event_weight(event_type));
}

bool DatasetConfig::is_purchase(std::string_view event_type) const {
    constexpr std::array<std::string_view, 8> known{
        "purchase", "purchased", "buy", "bought", "order", "ordered", "transaction", "checkout"
    };
    return purchases ? purchases->contains(std::string{event_type})
                     : std::ranges::find(known, plain_name(event_type)) != known.end();
}

Result<DatasetConfig> parse_dataset_config(std::string_view toml, std::string_view name) {
    try {
        return ConfigReader{name}.read(toml::parse(toml, name));
    } catch (const toml::parse_error& error) {
        const auto& begin = error.source().begin;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}:{}:{}: {}", name, begin.line, begin.column, error.description()),
            "dataset.toml is TOML: key = value, texts in quotes"
        );
    } catch (const Error& error) {
        return std::unexpected(error);
    }
}

Result<DatasetConfig> load_dataset_config(const std::filesystem::path& folder) {
    const auto path = folder / "dataset.toml";
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return DatasetConfig{};
    }
    HG_TRY(const auto text, read_file(path));
    return parse_dataset_config(text, path.string());
}

}  // namespace hg::data
