// SPDX-License-Identifier: Apache-2.0
#include "policy/knobs.hpp"

#include "policy/version_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace hg::policy {
namespace {

struct Moments {
    double mean = 0;
    double deviation = 0;
};

template <typename Row, typename Read>
Moments moments_of(std::span<const Row> rows, Read read) {
    double sum = 0;
    double squares = 0;
    for (const auto& row : rows) {
        const auto x = static_cast<double>(read(row));
        sum += x;
        squares += x * x;
    }
    const auto n = static_cast<double>(std::max<std::size_t>(1, rows.size()));
    const double mean = sum / n;
    const double variance = squares / n - mean * mean;
    const double tiny = 1e-12 * squares / n;  // relative: signals may be of any size
    return {.mean = mean, .deviation = variance > tiny ? std::sqrt(variance) : 0};
}

double score_deviation(std::span<const Scored> candidates) {
    return moments_of(candidates, [](const Scored& c) { return c.score; }).deviation;
}

/// out[i].*member = z(signals[i].*member)
void standardise_one(
    std::span<const Signals> signals, float Signals::* member, std::span<Signals> out
) {
    const auto moments = moments_of(signals, [member](const Signals& s) { return s.*member; });
    for (std::size_t i = 0; i < signals.size() && moments.deviation > 0; ++i) {
        const double z =
            (static_cast<double>(signals[i].*member) - moments.mean) / moments.deviation;
        out[i].*member = static_cast<float>(z);
    }
}

}  // namespace

void Knobs::describe(OptionBinder& bind, Knobs& o) {
    const OptionLimits either{.min = -max_knob, .max = max_knob};
    bind("exploration", o.exploration, "weight of the belief's uncertainty; 0 = greedy", either);
    bind("novelty", o.novelty, "weight of being little known", either);
    bind("content", o.content, "weight of content like what was liked", either);
    bind(
        "diversity",
        o.diversity,
        "weight of being unlike the items above",
        {.min = 0, .max = max_knob}
    );
}

std::string to_text(const Knobs& knobs) {
    return fmt::format(
        "knobs(exploration={},novelty={},content={},diversity={})",
        knobs.exploration,
        knobs.novelty,
        knobs.content,
        knobs.diversity
    );
}

std::optional<Knobs> parse_knobs(std::string_view text) {
    Knobs knobs;
    VersionReader reader{text};
    const bool is_read = reader.number("knobs(exploration=", knobs.exploration) &&
                         reader.number(",novelty=", knobs.novelty) &&
                         reader.number(",content=", knobs.content) &&
                         reader.number(",diversity=", knobs.diversity) && reader.left() == ")";
    return is_read ? std::optional{knobs} : std::nullopt;
}

std::vector<Signals> standardise(std::span<const Signals> signals) {
    std::vector<Signals> out(signals.size());
    standardise_one(signals, &Signals::uncertainty, out);
    standardise_one(signals, &Signals::novelty, out);
    standardise_one(signals, &Signals::content, out);
    return out;
}

std::vector<float> standardise(std::span<const Scored> candidates) {
    const auto moments = moments_of(candidates, [](const Scored& c) { return c.score; });
    std::vector<float> out(candidates.size());
    for (std::size_t i = 0; i < out.size() && moments.deviation > 0; ++i) {
        const double z =
            (static_cast<double>(candidates[i].score) - moments.mean) / moments.deviation;
        out[i] = static_cast<float>(z);
    }
    return out;
}

void apply(
    const Knobs& knobs,
    std::span<const Signals> signals,
    std::vector<Scored>& candidates,
    std::size_t count
) {
    count = std::min(count, candidates.size());
    if (knobs.exploration == 0 && knobs.novelty == 0 && knobs.content == 0) {
        candidates.resize(count);
        return;
    }
    HG_CHECK(signals.size() == candidates.size(), "one set of signals per candidate");
    const double scale = score_deviation(candidates);
    const auto z = standardise(signals);
    // Equal scores leave nothing to weigh against: then the signals alone decide.
    const double unit = scale > 0 ? scale : 1;
    std::vector<float> scores(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const double added = knobs.exploration * static_cast<double>(z[i].uncertainty) +
                             knobs.novelty * static_cast<double>(z[i].novelty) +
                             knobs.content * static_cast<double>(z[i].content);
        scores[i] = candidates[i].score + static_cast<float>(unit * added);
    }
    auto best = top_k(scores, count);
    for (auto& one : best) {
        one.index = candidates[one.index].index;
    }
    candidates = std::move(best);
}

std::vector<std::size_t> diverse_order(
    std::span<const float> scores,
    double unit,
    const LikenessOf& likeness_of,
    std::size_t count,
    std::span<float> likeness
) {
    std::ranges::fill(likeness, 0.0F);
    std::vector<float> to_newest(scores.size());
    std::vector<std::uint8_t> is_chosen(scores.size(), 0);
    std::vector<std::size_t> chosen;
    auto best = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
    while (chosen.size() < std::min(count, scores.size())) {
        chosen.push_back(best);
        is_chosen[best] = 1;
        likeness_of(best, to_newest);
        double most = -std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < scores.size(); ++i) {
            if (is_chosen[i] != 0) {
                continue;
            }
            likeness[i] = std::max(likeness[i], to_newest[i]);
            const double value =
                static_cast<double>(scores[i]) - unit * static_cast<double>(likeness[i]);
            if (value > most) {
                most = value;
                best = i;
            }
        }
    }
    return chosen;
}

void diversify(
    double weight, const LikenessOf& likeness_of, std::vector<Scored>& candidates, std::size_t count
) {
    count = std::min(count, candidates.size());
    if (weight == 0 || count == 0) {
        candidates.resize(count);
        return;
    }
    const double deviation = score_deviation(candidates);
    const double unit = weight * (deviation > 0 ? deviation : 1);
    std::vector<float> scores;
    for (const auto& candidate : candidates) {
        scores.push_back(candidate.score);
    }
    std::vector<float> likeness(candidates.size());
    std::vector<Scored> chosen;
    for (const auto i : diverse_order(scores, unit, likeness_of, count, likeness)) {
        const double value =
            static_cast<double>(scores[i]) - unit * static_cast<double>(likeness[i]);
        chosen.push_back({.index = candidates[i].index, .score = static_cast<float>(value)});
    }
    candidates = std::move(chosen);
}

}  // namespace hg::policy
