// SPDX-License-Identifier: Apache-2.0
#include "serve/promotion.hpp"

#include "core/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace hg::serve {
namespace {

nlohmann::json read_decision(const std::filesystem::path& path) {
    auto decision = nlohmann::json::parse(value_or_throw(read_file(path)), nullptr, false);
    constexpr std::array texts{"decision", "version", "run", "sentence"};
    const bool is_whole = decision.is_object() && std::ranges::all_of(texts, [&](const char* key) {
                              return decision.contains(key) && decision[key].is_string();
                          });
    if (!is_whole || !decision.value("serving", nlohmann::json::object()).is_object()) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("{}: is no decision of a gate", path.string()),
            "write it anew: honeyguide gate --candidate RUN [--knobs-by POLICY] --log events.db "
            "--data DIR"
        };
    }
    return decision;
}

/// The first option of a decision that is another one now; empty where there is none.
std::string other_option(const nlohmann::json& judged, const policy::PlackettLuceOptions& now) {
    const nlohmann::json options{
        {"epsilon", now.epsilon},
        {"temperature", now.temperature},
        {"candidates", now.max_candidates},
    };
    for (const auto& [name, value] : judged.items()) {
        if (options.contains(name) && options[name] != value) {
            return fmt::format(
                "{} {}, this server has {}", name, value.dump(), options[name].dump()
            );
        }
    }
    return {};
}

}  // namespace

std::filesystem::path decision_path(const std::filesystem::path& judged) {
    const auto plain = judged.lexically_normal();
    auto path = plain.has_filename() ? plain : plain.parent_path();
    path += ".decision.json";
    return path;
}

void write_decision(const std::filesystem::path& judged, const GateDecision& decision) {
    const nlohmann::json json{
        {"decision", decision.is_promoted ? "promote" : "hold"},
        {"version", decision.version},
        {"run", decision.run},
        {"sentence", decision.sentence},
        {"serving", decision.serving},
        {"incumbents", decision.incumbents},
        {"records", decision.records},
    };
    write_file_atomic(decision_path(judged), json.dump(2) + "\n");
}

std::optional<std::string> why_held(const std::filesystem::path& judged, const ToServe& now) {
    const auto path = decision_path(judged);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return fmt::format("the gate has not judged it: there is no {}", path.string());
    }
    const auto decision = read_decision(path);
    if (decision.at("version") != now.version) {
        return fmt::format(
            "{} is about other weights ({}, these are {})",
            path.string(),
            decision.at("version").dump(),
            now.version
        );
    }
    if (decision.at("run") != now.run) {
        return fmt::format(
            "{} is about run {}, this server serves \"{}\"",
            path.string(),
            decision.at("run").dump(),
            now.run
        );
    }
    if (const auto other =
            other_option(decision.value("serving", nlohmann::json::object()), now.options);
        !other.empty()) {
        return fmt::format("{} is about {}", path.string(), other);
    }
    if (decision.at("decision") != "promote") {
        const auto sentence = decision.at("sentence").get<std::string>();
        return fmt::format("{} says {}", path.string(), sentence.empty() ? "hold" : sentence);
    }
    return std::nullopt;
}

}  // namespace hg::serve
