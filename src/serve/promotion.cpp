// SPDX-License-Identifier: Apache-2.0
#include "serve/promotion.hpp"

#include "core/file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <system_error>

namespace hg::serve {
namespace {

nlohmann::json read_decision(const std::filesystem::path& path) {
    auto decision = nlohmann::json::parse(value_or_throw(read_file(path)), nullptr, false);
    const bool is_whole = decision.is_object() && !decision.value("decision", "").empty() &&
                          decision.contains("version") && decision.contains("run");
    if (!is_whole) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("{}: is no decision of a gate", path.string()),
            "write it anew: honeyguide gate --candidate RUN [--knobs-by POLICY] --log events.db "
            "--data DIR"
        };
    }
    return decision;
}

}  // namespace

std::filesystem::path decision_path(const std::filesystem::path& judged) {
    auto path = judged.has_filename() ? judged : judged.parent_path();
    path += ".decision.json";
    return path;
}

void write_decision(const std::filesystem::path& judged, const Promotion& decision) {
    const nlohmann::json json{
        {"decision", decision.is_promoted ? "promote" : "hold"},
        {"version", decision.version},
        {"run", decision.run},
        {"sentence", decision.sentence},
        {"incumbents", decision.incumbents},
        {"records", decision.records},
    };
    write_file_atomic(decision_path(judged), json.dump(2) + "\n");
}

std::optional<std::string> why_held(
    const std::filesystem::path& judged, const std::string& version, const std::string& run
) {
    const auto path = decision_path(judged);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
        return fmt::format("the gate has not judged it: there is no {}", path.string());
    }
    const auto decision = read_decision(path);
    if (decision.at("version") != version) {
        return fmt::format(
            "{} is about other weights ({}, these are {})",
            path.string(),
            decision.at("version").dump(),
            version
        );
    }
    if (decision.at("run") != run) {
        return fmt::format(
            "{} is about run {}, this server serves \"{}\"",
            path.string(),
            decision.at("run").dump(),
            run
        );
    }
    if (decision.at("decision") != "promote") {
        return fmt::format("{} says {}", path.string(), decision.value("sentence", "hold"));
    }
    return std::nullopt;
}

}  // namespace hg::serve
