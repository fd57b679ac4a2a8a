// SPDX-License-Identifier: Apache-2.0
#include "core/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace hg {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> previous(b.size() + 1);
    std::iota(previous.begin(), previous.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = previous[0];
        previous[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = previous[j + 1];
            previous[j + 1] = std::min({previous[j + 1] + 1, previous[j] + 1, substituted});
        }
    }
    return previous[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view wanted, std::span<const std::string_view> known) {
    constexpr std::size_t telling_prefix = 2;
    for (const auto name : known) {
        if (wanted.size() >= telling_prefix && name.starts_with(wanted)) {
            return name;
        }
    }
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(2, wanted.size() / 3) + 1;
    for (const auto name : known) {
        const auto distance = edit_distance(wanted, name);
        if (distance < best_distance) {
            best_distance = distance;
            best = name;
        }
    }
    return best;
}

std::string suggest(
    std::string_view wanted, std::span<const std::string_view> known, std::string_view prefix
) {
    const auto near = nearest_name(wanted, known);
    const auto question =
        near.empty() ? std::string{} : fmt::format("did you mean {}{}? ", prefix, near);
    return fmt::format(
        "{}known: {}{}",
        question,
        known.empty() ? "" : prefix,
        fmt::join(known, fmt::format(", {}", prefix))
    );
}

}  // namespace hg
