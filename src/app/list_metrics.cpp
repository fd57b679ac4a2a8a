// SPDX-License-Identifier: Apache-2.0
#include "app/list_metrics.hpp"

#include "core/mean.hpp"
#include "core/nearest.hpp"
#include "evaluate/calibration.hpp"
#include "evaluate/exposure.hpp"
#include "evaluate/novelty.hpp"
#include "evaluate/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hg::app {
namespace {

constexpr double usual_persistence = 0.8;  // of rank-biased precision (Moffat and Zobel, 2008)

/// The mean over users of a measure of where a list's targets stand.
template <typename Measure>
std::optional<double> accuracy(const ListMetricInput& input, Measure measure) {
    if (input.is_sampled) {
        return std::nullopt;  // the lists are of the whole catalogue
    }
    std::vector<double> values;
    values.reserve(input.lists.size());
    for (std::size_t i = 0; i < input.lists.size(); ++i) {
        std::vector<evaluate::Relevant> relevant;
        for (const auto item : input.index.queries[i]->targets) {
            relevant.push_back({.item = item});
        }
        values.push_back(measure(evaluate::judge_list(input.lists[i], relevant)));
    }
    return mean_of(by_user(values, input.index));
}

evaluate::Exposure exposure(const ListMetricInput& input) {
    return evaluate::count_exposure(input.lists, input.k, input.dataset.items.size());
}

template <typename Measure>
std::optional<double> with_genres(const ListMetricInput& input, Measure measure) {
    const auto genres = genres_of(input.dataset);
    return genres ? std::optional{measure(*genres)} : std::nullopt;
}

template <typename Measure>
std::optional<double> with_vectors(const ListMetricInput& input, Measure measure) {
    return input.content != nullptr ? std::optional{measure(input.content->vectors.view())}
                                    : std::nullopt;
}

using Input = const ListMetricInput&;
using Value = std::optional<double>;

constexpr auto table = std::to_array<ListMetric>({
    {"f1",
     "harmonic mean of precision and recall",
     [](Input in) -> Value {
         return accuracy(in, [&](const auto& judged) { return evaluate::f1_at(judged, in.k); });
     }},
    {"r_precision",
     "precision at the number of targets (those beyond k count as missed)",
     [](Input in) -> Value {
         return accuracy(in, [](const auto& judged) { return evaluate::r_precision(judged); });
     }},
    {"rank_biased_precision",
     "for a reader who goes on to the next item with probability .8",
     [](Input in) -> Value {
         return accuracy(in, [](const auto& judged) {
             return evaluate::rank_biased_precision(judged, usual_persistence);
         });
     }},
    {"average_popularity",
     "training events of a shown item",
     [](Input in) -> Value {
         return evaluate::average_popularity(in.lists, in.k, in.index.popularity);
     }},
    {"popularity_lift",
     "how much more popular than the user's own history: 0 = as popular",
     [](Input in) -> Value {
         return evaluate::popularity_lift(in.lists, in.k, in.index.histories, in.index.popularity);
     }},
    {"inverse_user_frequency_bits",
     "-log2 of the share of training users who liked a shown item",
     [](Input in) -> Value {
         return evaluate::mean_inverse_user_frequency(
             in.lists, in.k, in.index.users_of_item, in.index.n_training_users
         );
     }},
    {"exposure_entropy_nats",
     "of what is shown, over the catalogue",
     [](Input in) -> Value { return evaluate::entropy_nats(exposure(in)); }},
    {"effective_catalogue",
     "items that would be shown as evenly: exp of that entropy",
     [](Input in) -> Value { return evaluate::effective_catalogue(exposure(in)); }},
    {"herfindahl",
     "concentration of what is shown: 1 = one item only",
     [](Input in) -> Value { return evaluate::herfindahl(exposure(in)); }},
    {"personalisation",
     "how little two users' lists have in common: 1 = nothing",
     [](Input in) -> Value {
         return evaluate::personalisation(in.lists, in.k, in.dataset.items.size());
     }},
    {"intra_list_diversity",
     "cosine distance between the items of a list (needs item vectors)",
     [](Input in) -> Value {
         return with_vectors(in, [&](auto vectors) {
             return evaluate::intra_list_diversity(in.lists, in.k, vectors);
         });
     }},
    {"genre_diversity",
     "genres in which two items of a list differ (needs genres)",
     [](Input in) -> Value {
         return with_genres(in, [&](const auto& genres) {
             return evaluate::intra_list_diversity(in.lists, in.k, genres);
         });
     }},
    {"genre_entropy_nats",
     "of the genres of a list (needs genres)",
     [](Input in) -> Value {
         return with_genres(in, [&](const auto& genres) {
             return evaluate::group_entropy_nats(in.lists, in.k, genres);
         });
     }},
    {"calibration_kl_nats",
     "from the genres of the history to those of the list (needs genres)",
     [](Input in) -> Value {
         return with_genres(in, [&](const auto& genres) {
             return evaluate::calibration_kl_nats(in.index.histories, in.lists, in.k, genres);
         });
     }},
    {"calibration_js_bits",
     "the same as Jensen-Shannon divergence (needs genres)",
     [](Input in) -> Value {
         return with_genres(in, [&](const auto& genres) {
             return evaluate::calibration_js_bits(in.index.histories, in.lists, in.k, genres);
         });
     }},
    {"unexpectedness",
     "cosine distance of a list from the user's history (needs item vectors)",
     [](Input in) -> Value {
         return with_vectors(in, [&](auto vectors) {
             return evaluate::unexpectedness(in.lists, in.k, in.index.histories, vectors);
         });
     }},
});

}  // namespace

std::span<const ListMetric> list_metrics() {
    return table;
}

std::vector<const ListMetric*> find_list_metrics(std::span<const std::string> names) {
    std::vector<const ListMetric*> found;
    for (const auto& name : names) {
        if (name == "all") {
            for (const auto& metric : table) {
                found.push_back(&metric);
            }
            continue;
        }
        const auto* const metric = std::ranges::find(table, name, &ListMetric::name);
        if (metric == table.end()) {
            std::vector<std::string_view> known{"all"};
            std::ranges::transform(table, std::back_inserter(known), &ListMetric::name);
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("--metric {}: no such metric", name),
                suggest(name, known),
            };
        }
        found.push_back(metric);
    }
    return found;
}

std::optional<evaluate::ItemGroups> genres_of(const data::Dataset& dataset) {
    for (const auto& field : dataset.item_fields.fields()) {
        if (field.kind != data::FieldKind::categories || field.codes.empty()) {
            continue;
        }
        if (field.code_offsets.size() != dataset.items.size() + 1) {
            continue;
        }
        return evaluate::ItemGroups{
            .offsets = field.code_offsets,
            .codes = field.codes,
            .n_groups = field.vocabulary.size(),
        };
    }
    return {};
}

}  // namespace hg::app
