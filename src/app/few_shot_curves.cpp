// SPDX-License-Identifier: Apache-2.0
#include "app/few_shot_curves.hpp"

#include "core/file.hpp"
#include "evaluate/gate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace hg::app {
namespace {

/// The users of a protocol in the order they are first asked in.
struct Asked {
    std::map<std::uint32_t, std::size_t> place;
    std::vector<std::string> names;
};

Asked asked_users(const data::Dataset& dataset, const Protocol& protocol) {
    Asked asked;
    for (const auto& trial : protocol.trials) {
        for (const auto& query : trial.queries) {
            if (asked.place.emplace(query.user.value, asked.names.size()).second) {
                asked.names.push_back(
                    protocol.kind == ProtocolKind::queries
                        ? fmt::format("line {}", query.user.value)
                        : dataset.users.name(query.user.value)
                );
            }
        }
    }
    return asked;
}

/// Mean of a user's values after k events; NaN where they were not asked.
std::vector<double> values_at(
    const Protocol& protocol, const Outcome& outcome, const Asked& asked, std::size_t k
) {
    std::vector<double> sums(asked.names.size());
    std::vector<double> counts(asked.names.size());
    std::size_t answer = 0;
    for (const auto& trial : protocol.trials) {
        for (const auto& query : trial.queries) {
            if (query.context == k) {
                const auto user = asked.place.at(query.user.value);
                sums[user] += outcome.accuracy.ndcg[answer];
                counts[user] += 1;
            }
            ++answer;
        }
    }
    for (std::size_t u = 0; u < sums.size(); ++u) {
        sums[u] = counts[u] > 0 ? sums[u] / counts[u] : std::numeric_limits<double>::quiet_NaN();
    }
    return sums;
}

/// NaN becomes null.
nlohmann::json numbers_json(std::span<const double> values) {
    auto out = nlohmann::json::array();
    for (const double value : values) {
        out.push_back(std::isnan(value) ? nlohmann::json(nullptr) : nlohmann::json(value));
    }
    return out;
}

Error no_curves(const std::filesystem::path& path, std::string_view why) {
    return {
        ErrorCode::invalid_argument,
        fmt::format("{} holds no few-shot curves: {}", path.string(), why),
        "write it with honeyguide evaluate --protocol few-shot --curves FILE, of a learned policy "
        "with honeyguide simulate run --curves FILE"
    };
}

const nlohmann::json& row_of(
    const nlohmann::json& curves, const std::filesystem::path& path, const std::string& name
) {
    std::vector<std::string> names;
    for (const auto& row : curves.at("rows")) {
        names.push_back(row.at("name").get<std::string>());
        if (names.back() == name) {
            return row;
        }
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "{} has no row \"{}\", it has: {}", path.string(), name, fmt::join(names, ", ")
        ),
        fmt::format(
            "evaluate it beside the other: --run RUN, or --model {}=MODEL; a learned policy is "
            "played: honeyguide simulate run --policy RUN --curves FILE",
            name
        )
    };
}

/// [contexts][users]; NaN where a user was not asked.
std::vector<std::vector<double>> values_of(
    const nlohmann::json& row, std::size_t n_contexts, std::size_t n_users
) {
    std::vector<std::vector<double>> all;
    for (const auto& numbers : row.at("values")) {
        auto& values = all.emplace_back();
        for (const auto& number : numbers) {
            values.push_back(
                number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>()
            );
        }
        if (values.size() != n_users) {
            throw nlohmann::json::other_error::create(
                500, fmt::format("{} values for {} users", values.size(), n_users), &row
            );
        }
    }
    if (all.size() != n_contexts) {
        throw nlohmann::json::other_error::create(
            500, fmt::format("{} curves of {} points", all.size(), n_contexts), &row
        );
    }
    return all;
}

/// Mean over the lengths a user was asked at by both.
void add_worst_decile(
    PairedCurves& out,
    const std::vector<std::vector<double>>& candidate,
    const std::vector<std::vector<double>>& incumbent,
    std::size_t n_users
) {
    std::vector<double> mine;
    std::vector<double> other;
    for (std::size_t u = 0; u < n_users; ++u) {
        double a = 0;
        double b = 0;
        double n = 0;
        for (std::size_t c = 0; c < candidate.size(); ++c) {
            if (!std::isnan(candidate[c][u]) && !std::isnan(incumbent[c][u])) {
                a += candidate[c][u];
                b += incumbent[c][u];
                n += 1;
            }
        }
        if (n > 0) {
            mine.push_back(a / n);
            other.push_back(b / n);
        }
    }
    out.worst_decile = evaluate::worst_decile_differences(mine, other);
}

void add_warnings(PairedCurves& out, const nlohmann::json& row) {
    for (const auto& warning : row.value("warnings", nlohmann::json::array())) {
        out.notes.push_back(fmt::format(
            "few-shot curve of {}: {}",
            row.at("name").get<std::string>(),
            warning.get<std::string>()
        ));
    }
}

PairedCurves pair_rows(
    const nlohmann::json& curves,
    const std::filesystem::path& path,
    const std::string& candidate,
    const std::string& incumbent
) {
    const auto& mine = row_of(curves, path, candidate);
    const auto& other = row_of(curves, path, incumbent);
    PairedCurves out{
        .n_events = curves.at("contexts").get<std::vector<std::size_t>>(),
        .unit = curves.value("unit", "events"),
        .differences = {},
        .worst_decile = {},
        .notes = {},
    };
    const auto n_users = curves.at("users").size();
    const auto a = values_of(mine, out.n_events.size(), n_users);
    const auto b = values_of(other, out.n_events.size(), n_users);
    for (std::size_t c = 0; c < a.size(); ++c) {
        auto& differences = out.differences.emplace_back();
        for (std::size_t u = 0; u < n_users; ++u) {
            if (!std::isnan(a[c][u]) && !std::isnan(b[c][u])) {
                differences.push_back(a[c][u] - b[c][u]);
            }
        }
    }
    add_worst_decile(out, a, b, n_users);
    add_warnings(out, mine);
    add_warnings(out, other);
    return out;
}

}  // namespace

nlohmann::json few_shot_curves(
    const data::Dataset& dataset,
    const Protocol& protocol,
    std::span<const Outcome> outcomes,
    std::size_t k
) {
    if (protocol.contexts.empty() || !protocol.groups.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("protocol {} has no curve over histories", to_string(protocol.kind)),
            "--curves is of --protocol few-shot, or of --queries"
        };
    }
    const auto asked = asked_users(dataset, protocol);
    nlohmann::json out{
        {"kind", curves_kind},
        {"dataset", dataset.name},
        {"dataset_hash", dataset.hash},
        {"protocol", protocol.label},
        {"metric", fmt::format("ndcg@{}", k)},
        {"contexts", protocol.contexts},
        {"users", asked.names},
        {"rows", nlohmann::json::array()},
    };
    for (const auto& outcome : outcomes) {
        if (!outcome.refused.empty()) {
            continue;
        }
        auto values = nlohmann::json::array();
        for (const auto context : protocol.contexts) {
            values.push_back(numbers_json(values_at(protocol, outcome, asked, context)));
        }
        out["rows"].push_back(
            {{"name", outcome.name}, {"warnings", outcome.warnings}, {"values", std::move(values)}}
        );
    }
    return out;
}

PairedCurves read_paired_curves(
    const std::filesystem::path& path, const std::string& candidate, const std::string& incumbent
) {
    const auto curves = nlohmann::json::parse(value_or_throw(read_file(path)), nullptr, false);
    if (!curves.is_object() || curves.value("kind", nlohmann::json{}) != curves_kind) {
        throw no_curves(path, "not JSON of that kind");
    }
    try {
        return pair_rows(curves, path, candidate, incumbent);
    } catch (const nlohmann::json::exception& error) {
        throw no_curves(path, error.what());
    }
}

}  // namespace hg::app
