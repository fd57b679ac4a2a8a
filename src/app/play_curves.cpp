// SPDX-License-Identifier: Apache-2.0
#include "app/play_curves.hpp"

#include "app/few_shot_curves.hpp"
#include "core/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hg::app {
namespace {

constexpr std::array<std::size_t, 7> all_turns{0, 1, 2, 5, 10, 20, 50};

/// Mean reward of the turns [first, end).
double earned(std::span<const double> visit, std::size_t first, std::size_t end) {
    double sum = 0;
    for (std::size_t turn = first; turn < std::min(end, visit.size()); ++turn) {
        sum += visit[turn];
    }
    return sum / static_cast<double>(end - first);
}

nlohmann::json empty_curves(std::span<const std::vector<double>> visits, const nlohmann::json& of) {
    auto users = nlohmann::json::array();
    for (std::size_t v = 0; v < visits.size(); ++v) {
        users.push_back(fmt::format("visit {}", v + 1));
    }
    return {
        {"kind", curves_kind},
        {"of", of},
        {"metric", "reward per turn"},
        {"unit", "turns"},
        {"contexts", nlohmann::json::array()},
        {"users", std::move(users)},
        {"rows", nlohmann::json::array()},
    };
}

/// What is in the file, or nothing yet.
nlohmann::json opened(
    const std::filesystem::path& path,
    std::span<const std::vector<double>> visits,
    const nlohmann::json& of
) {
    if (!std::filesystem::exists(path)) {
        return empty_curves(visits, of);
    }
    auto curves = nlohmann::json::parse(value_or_throw(read_file(path)), nullptr, false);
    if (!curves.is_object() || curves.value("of", nlohmann::json{}) != of ||
        curves.value("users", nlohmann::json::array()).size() != visits.size() ||
        !curves.value("rows", nlohmann::json{}).is_array()) {
        throw Error{
            ErrorCode::conflict,
            fmt::format(
                "{}: holds no curves of this very play: one world, its settings, --users, "
                "--episodes, "
                "--seeds and --seed",
                path.string()
            ),
            "name another file with --curves, or play both policies again"
        };
    }
    return curves;
}

}  // namespace

void TurnRecorder::operator()(
    const policy::TransitionBatch& step, std::span<const std::uint64_t> /*episodes*/
) {
    for (std::size_t u = 0; u < now_.size(); ++u) {
        now_[u].push_back(step.rewards[u]);
        if (step.ended[u] != 0 || step.truncated[u] != 0) {
            done_[u].push_back(std::move(now_[u]));
            now_[u].clear();
        }
    }
}

void TurnRecorder::end_play(std::size_t n_visits) {
    const auto each = n_visits / done_.size();
    for (std::size_t u = 0; u < done_.size(); ++u) {
        for (std::size_t v = 0; v < std::min(each, done_[u].size()); ++v) {
            visits_.push_back(std::move(done_[u][v]));
        }
        done_[u].clear();
        now_[u].clear();
    }
}

void write_play_curves(
    const std::filesystem::path& path,
    const std::string& name,
    std::span<const std::vector<double>> visits,
    std::size_t step_limit,
    const nlohmann::json& of
) {
    auto curves = opened(path, visits, of);
    auto values = nlohmann::json::array();
    auto contexts = nlohmann::json::array();
    for (std::size_t i = 0; i + 1 < all_turns.size() && all_turns[i] < step_limit; ++i) {
        auto& point = values.emplace_back(nlohmann::json::array());
        contexts.push_back(all_turns[i]);
        for (const auto& visit : visits) {
            point.push_back(earned(visit, all_turns[i], std::min(all_turns[i + 1], step_limit)));
        }
    }
    auto& rows = curves["rows"];
    const auto place =
        std::ranges::find_if(rows, [&](const auto& row) { return row.value("name", "") == name; });
    nlohmann::json row{
        {"name", name}, {"warnings", nlohmann::json::array()}, {"values", std::move(values)}
    };
    if (place != rows.end()) {
        *place = std::move(row);
    } else {
        rows.push_back(std::move(row));
    }
    curves["contexts"] = std::move(contexts);
    write_file_atomic(path, curves.dump() + "\n");
}

}  // namespace hg::app
