// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/feedback_table.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::simulate {

void check_feedback(const FeedbackTable& table) {
    const auto refuse = [&](std::string_view what, std::string hint) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: {}", table.facts.data_name, what),
            std::move(hint)
        };
    };
    constexpr std::size_t fewest = 3;  // one each to fit, to stop and to judge
    if (table.n_decisions() == 0) {
        refuse("no events to learn a world from", "give a log of what users did");
    }
    if (table.n_sequences() < fewest) {
        refuse(
            fmt::format(
                "{} sequences of events, a world needs at least {}", table.n_sequences(), fewest
            ),
            "log more users or sessions"
        );
    }
    const auto is_click = [](const FeedbackSlot& slot) { return slot.clicked; };
    if (std::ranges::none_of(table.slots, is_click)) {
        refuse(
            "nothing was ever clicked", "a world of no answers teaches nothing: check `clicked`"
        );
    }
}

FeedbackSplit split_feedback(std::size_t n_sequences, double holdout, Rng rng) {
    std::vector<std::uint32_t> order(n_sequences);
    std::iota(order.begin(), order.end(), 0U);
    rng.shuffle(std::span{order});
    const auto wanted = static_cast<std::size_t>(holdout * static_cast<double>(n_sequences));
    const auto each = n_sequences < 3 ? 0 : std::max<std::size_t>(1, wanted);
    FeedbackSplit split;
    const auto cut = [&](std::size_t from, std::size_t to) {
        std::vector<std::uint32_t> part(
            order.begin() + static_cast<std::ptrdiff_t>(from),
            order.begin() + static_cast<std::ptrdiff_t>(to)
        );
        std::ranges::sort(part);
        return part;
    };
    split.test = cut(0, each);
    split.validation = cut(each, 2 * each);
    split.train = cut(2 * each, n_sequences);
    return split;
}

std::vector<std::uint32_t> shown_places(const FeedbackTable& table, std::size_t decision) {
    const auto candidates = table.candidates_of(decision);
    std::vector<std::uint32_t> places;
    for (const auto& slot : table.slots_of(decision)) {
        std::uint32_t place = 0;
        while (candidates[place] != slot.item || std::ranges::find(places, place) != places.end()) {
            ++place;
            HG_CHECK(place < candidates.size(), "every shown item is a candidate");
        }
        places.push_back(place);
    }
    return places;
}

bool has_single_clicks(const FeedbackTable& table) {
    if (table.facts.slate_size < 2 || table.facts.is_clicks_only) {
        return false;
    }
    for (std::size_t d = 0; d < table.n_decisions(); ++d) {
        const auto slots = table.slots_of(d);
        if (std::ranges::count_if(slots, [](const FeedbackSlot& s) { return s.clicked; }) > 1) {
            return false;
        }
    }
    return true;
}

void Scaling::apply(std::span<const float> from, std::span<float> to) const {
    for (std::size_t i = 0; i < mean.size(); ++i) {
        to[i] = (from[i] - mean[i]) * inverse_sd[i];
    }
}

Scaling scale_columns(MatrixView<const float> rows) {
    constexpr double least_sd = 1e-6;  // a constant column stays 0
    Scaling scaling;
    const auto n = static_cast<double>(std::max<std::size_t>(1, rows.rows()));
    for (std::size_t c = 0; c < rows.cols(); ++c) {
        double sum = 0;
        double squares = 0;
        for (std::size_t r = 0; r < rows.rows(); ++r) {
            sum += rows(r, c);
        }
        const double mean = sum / n;
        for (std::size_t r = 0; r < rows.rows(); ++r) {
            const double off = rows(r, c) - mean;
            squares += off * off;
        }
        const double sd = std::sqrt(squares / n);
        scaling.mean.push_back(static_cast<float>(mean));
        scaling.inverse_sd.push_back(sd > least_sd ? static_cast<float>(1 / sd) : 0.0F);
    }
    return scaling;
}

}  // namespace hg::simulate
