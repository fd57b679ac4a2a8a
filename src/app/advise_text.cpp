// SPDX-License-Identifier: Apache-2.0
// Advice as text for people and as JSON for machines.
#include "app/advise.hpp"

#include <fmt/format.h>

namespace hg::app {
namespace {

std::string_view sign_of(Mark mark) {
    switch (mark) {
        case Mark::good:
            return "+";
        case Mark::note:
            return "-";
        case Mark::problem:
            return "!";
    }
    return "-";
}

std::string_view word_of(Mark mark) {
    switch (mark) {
        case Mark::good:
            return "good";
        case Mark::note:
            return "note";
        case Mark::problem:
            return "problem";
    }
    return "note";
}

std::string_view word_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::too_little_data:
            return "too_little_data";
        case Verdict::popularity_is_enough:
            return "popularity_is_enough";
        case Verdict::simple_model_is_enough:
            return "simple_model_is_enough";
        case Verdict::learn_more:
            return "learn_more";
    }
    return "too_little_data";
}

}  // namespace

std::string to_text(const Advice& advice) {
    std::string text = fmt::format("{}\n", advice.facts.name);
    for (const auto& finding : advice.findings) {
        text += fmt::format("  {} {}\n", sign_of(finding.mark), finding.text);
    }
    if (advice.check) {
        text += "\nquick check: " + to_text(*advice.check);
    }
    text += fmt::format("\nadvice: {}\n\nnext:\n", advice.summary);
    for (const auto& command : advice.next) {
        text += fmt::format("  {}\n", command);
    }
    if (!advice.config.empty()) {
        text += fmt::format("\n{}.toml (for --config; the defaults):\n", advice.model);
        for (std::size_t at = 0; at < advice.config.size();) {
            const auto end = advice.config.find('\n', at);
            text += "  " + advice.config.substr(at, end - at) + "\n";
            at = end + 1;
        }
    }
    return text;
}

nlohmann::json to_json(const Advice& advice) {
    auto findings = nlohmann::json::array();
    for (const auto& finding : advice.findings) {
        findings.push_back({{"mark", word_of(finding.mark)}, {"text", finding.text}});
    }
    return {
        {"format_version", 1},
        {"facts", to_json(advice.facts)},
        {"findings", findings},
        {"check", advice.check ? to_json(*advice.check) : nlohmann::json{}},
        {"verdict", word_of(advice.verdict)},
        {"advice", advice.summary},
        {"model", advice.model},
        {"next", advice.next},
        {"config", advice.config},
    };
}

}  // namespace hg::app
