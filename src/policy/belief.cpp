// SPDX-License-Identifier: Apache-2.0
#include "policy/belief.hpp"

#include <algorithm>
#include <cmath>

namespace hg::policy {

namespace {

Belief beginning_at(
    train::GaussianPosterior start, const train::GaussianPrior& prior, std::string_view segment
) {
    Belief belief;
    belief.start_mean = start.mean;
    belief.start_trace = start.trace();
    belief.posterior = std::move(start);
    belief.space_id = prior.space_id();
    belief.segment = segment;
    return belief;
}

}  // namespace

Belief::Belief(const train::GaussianPrior& prior, std::string_view of_segment)
    : Belief(beginning_at(prior.start(of_segment), prior, of_segment)) {}

Belief::Belief(const train::GaussianPrior& prior, const data::History& of)
    : Belief(beginning_at(prior.start_of(of), prior, prior.segment_of(of))) {}

Belief Belief::replay(const train::GaussianPrior& prior, const data::History& history) {
    Belief belief{prior, history};
    adapt_all(prior, belief, history);
    return belief;
}

void adapt_all(const train::GaussianPrior& prior, Belief& belief, const data::History& history) {
    for (std::size_t i = 0; i < history.size(); ++i) {
        adapt(prior, belief, history.items[i], history.weight(i));
    }
}

void adapt(const train::GaussianPrior& prior, Belief& belief, ItemId item, float weight) {
    HG_CHECK(belief.space_id == prior.space_id(), "a belief of another space must be replayed");
    ++belief.n_events;
    belief.n_liked += weight > 0 ? 1 : 0;
    if (item.index() < prior.n_items()) {
        prior.observe(belief.posterior, item.index(), weight);
    }
}

std::vector<float> trait_direction(
    const train::GaussianPrior& prior, const data::Field& field, std::string_view value
) {
    const auto named = std::ranges::find(field.vocabulary, value);
    if (named == field.vocabulary.end()) {
        return {};
    }
    const auto code = static_cast<std::uint32_t>(named - field.vocabulary.begin());
    const auto n = std::min(prior.n_items(), field.present.size());
    std::vector<double> all(prior.dim());
    std::vector<double> own(prior.dim());
    double n_own = 0;
    double squares = 0;
    for (std::size_t item = 0; item < n; ++item) {
        const auto vector = prior.parts().item_vectors.row(item);
        const bool is_own =
            std::ranges::find(field.row_codes(item), code) != field.row_codes(item).end();
        n_own += is_own ? 1 : 0;
        for (std::size_t i = 0; i < vector.size(); ++i) {
            const auto x = static_cast<double>(vector[i]);
            all[i] += x;
            own[i] += is_own ? x : 0;
            squares += x * x;
        }
    }
    if (n_own == 0) {
        return {};
    }
    double length = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        own[i] = own[i] / n_own - all[i] / static_cast<double>(n);
        length += own[i] * own[i];
    }
    if (length <= 0) {
        return {};
    }
    const double scale = std::sqrt(squares / static_cast<double>(n) / length);
    std::vector<float> direction(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        direction[i] = static_cast<float>(own[i] * scale);
    }
    return direction;
}

void adapt_to_wish(
    const train::GaussianPrior& prior,
    Belief& belief,
    std::span<const float> direction,
    float preference
) {
    constexpr float events_per_wish = 5;
    if (preference != 0) {
        prior.observe_vector(belief.posterior, direction, events_per_wish * preference);
    }
}

double uncertainty_left(const Belief& belief) {
    return belief.start_trace > 0 ? belief.posterior.trace() / belief.start_trace : 0;
}

std::vector<Trait> traits(
    const train::GaussianPrior& prior,
    const Belief& belief,
    const data::Field& field,
    std::size_t count
) {
    constexpr std::size_t min_items = 5;
    const auto n = std::min(prior.n_items(), field.present.size());
    std::vector<float> scores(prior.n_items());
    prior.score(belief.posterior, scores);
    std::vector<double> sums(field.vocabulary.size());
    std::vector<std::size_t> counts(field.vocabulary.size());
    double mean = 0;
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double score = scores[i];
        mean += score / static_cast<double>(n);
        squares += score * score / static_cast<double>(n);
        for (const auto code : field.row_codes(i)) {
            sums[code] += score;
            ++counts[code];
        }
    }
    const double deviation = std::sqrt(std::max(1e-12, squares - mean * mean));
    std::vector<Trait> all;
    for (std::size_t code = 0; code < sums.size(); ++code) {
        if (counts[code] >= min_items) {
            const double average = sums[code] / static_cast<double>(counts[code]);
            all.push_back({field.vocabulary[code], (average - mean) / deviation});
        }
    }
    std::ranges::sort(all, std::greater{}, [](const Trait& t) { return std::abs(t.preference); });
    all.resize(std::min(all.size(), count));
    return all;
}

}  // namespace hg::policy
