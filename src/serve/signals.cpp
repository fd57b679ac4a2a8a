// SPDX-License-Identifier: Apache-2.0
#include "serve/signals.hpp"

#include "core/dot.hpp"
#include "train/gaussian_prior.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace hg::serve {
namespace {

constexpr std::size_t n_liked_last = 50;

/// What is read of the item table, copied so that it is not locked while we compute.
struct Facts {
    std::vector<std::int64_t> n_events;
    std::vector<std::vector<float>> arrival_content;  // empty for items of the model
};

Facts facts_of(
    const Snapshot& snapshot, const ItemTable& table, std::span<const Scored> candidates
) {
    Facts facts;
    facts.arrival_content.resize(candidates.size());
    const auto items = table.read();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto row = candidates[i].index;
        facts.n_events.push_back(items.n_events(row));
        if (snapshot.model_row(row) == Snapshot::not_in_model) {
            const auto content = items.content(row);
            facts.arrival_content[i] = {content.begin(), content.end()};
        }
    }
    return facts;
}

void add_uncertainty(
    const Snapshot& snapshot,
    const policy::Belief& belief,
    std::span<const Scored> candidates,
    const Facts& facts,
    std::span<policy::Signals> signals
) {
    const auto& prior = *snapshot.run.model->belief_prior();
    std::vector<std::size_t> known;  // to the model
    std::vector<std::uint32_t> items;
    std::vector<std::size_t> unplaced;
    float largest = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto row = snapshot.model_row(candidates[i].index);
        const auto& content = facts.arrival_content[i];
        if (row != Snapshot::not_in_model) {
            known.push_back(i);
            items.push_back(row);
        } else if (!content.empty() && prior.parts().content_map.content_dim() == content.size()) {
            signals[i].uncertainty = prior.uncertainty_at(belief.posterior, prior.place(content));
            largest = std::max(largest, signals[i].uncertainty);
        } else {
            unplaced.push_back(i);
        }
    }
    std::vector<float> uncertainties(items.size());
    prior.uncertainties(belief.posterior, items, uncertainties);
    for (std::size_t k = 0; k < known.size(); ++k) {
        signals[known[k]].uncertainty = uncertainties[k];
        largest = std::max(largest, uncertainties[k]);
    }
    for (const auto i : unplaced) {
        signals[i].uncertainty = largest;
    }
}

float length(std::span<const float> v) {
    return std::sqrt(dot(v, v));
}

/// The mean direction of the content of what was liked last; empty when nothing with content was.
std::vector<float> liked_content(const Snapshot& snapshot, std::span<const UserEvent> events) {
    std::vector<float> sum(snapshot.content->dim(), 0.0F);
    std::size_t n = 0;
    for (std::size_t i = events.size(); i > 0 && n < n_liked_last; --i) {
        const auto row = snapshot.model_row(events[i - 1].row);
        if (events[i - 1].weight <= 0 || row == Snapshot::not_in_model ||
            snapshot.content->present[row] == 0) {
            continue;
        }
        const auto content = snapshot.content->vectors.row(row);
        const float size = std::max(1e-12F, length(content));
        for (std::size_t c = 0; c < sum.size(); ++c) {
            sum[c] += content[c] / size;
        }
        ++n;
    }
    return n > 0 ? sum : std::vector<float>{};
}

void add_content(
    const Snapshot& snapshot,
    std::span<const UserEvent> events,
    std::span<const Scored> candidates,
    const Facts& facts,
    std::span<policy::Signals> signals
) {
    const auto liked = liked_content(snapshot, events);
    if (liked.empty()) {
        return;
    }
    const float liked_length = std::max(1e-12F, length(liked));
    std::vector<std::size_t> without;
    double sum = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto row = snapshot.model_row(candidates[i].index);
        std::span<const float> content = facts.arrival_content[i];
        if (row != Snapshot::not_in_model && snapshot.content->present[row] != 0) {
            content = snapshot.content->vectors.row(row);
        }
        if (content.size() != liked.size()) {
            without.push_back(i);
            continue;
        }
        const float size = std::max(1e-12F, length(content));
        signals[i].content = dot(content, liked) / (size * liked_length);
        sum += static_cast<double>(signals[i].content);
    }
    const auto n_with = std::max<std::size_t>(1, candidates.size() - without.size());
    for (const auto i : without) {
        signals[i].content = static_cast<float>(sum / static_cast<double>(n_with));
    }
}

}  // namespace

std::vector<policy::Signals> signals_of(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    const policy::Belief* belief,
    std::span<const Scored> candidates
) {
    std::vector<policy::Signals> signals(candidates.size());
    const auto facts = facts_of(snapshot, items, candidates);
    if (belief != nullptr) {
        add_uncertainty(snapshot, *belief, candidates, facts, signals);
    }
    if (snapshot.content) {
        add_content(snapshot, user.events, candidates, facts, signals);
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        signals[i].novelty = -static_cast<float>(std::log1p(facts.n_events[i]));
    }
    return signals;
}

Matrix<float> directions_of(const Snapshot& snapshot, std::span<const Scored> candidates) {
    const auto* const prior = snapshot.run.model->belief_prior();
    std::optional<MatrixView<const float>> vectors;
    if (prior != nullptr) {
        vectors = prior->parts().item_vectors.view();
    } else if (snapshot.content) {
        vectors = snapshot.content->vectors.view();
    }
    Matrix<float> directions(candidates.size(), vectors ? vectors->cols() : 0);
    for (std::size_t i = 0; vectors && i < candidates.size(); ++i) {
        const auto row = snapshot.model_row(candidates[i].index);
        if (row == Snapshot::not_in_model) {
            continue;
        }
        const auto vector = vectors->row(row);
        const float size = length(vector);
        for (std::size_t c = 0; size > 0 && c < vector.size(); ++c) {
            directions(i, c) = vector[c] / size;
        }
    }
    return directions;
}

}  // namespace hg::serve
