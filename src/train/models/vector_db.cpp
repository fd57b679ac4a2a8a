// SPDX-License-Identifier: Apache-2.0
// vector_db: what people build today on a vector database: the recency-weighted mean of the clicked
// items' embeddings asks for its nearest neighbours, blended with popularity.
//
// score = (1 - b) cos(mean, item) + b log(1 + n_i) / log(1 + max n). No paper: it is the row to
// beat for everything that learns. New items take part at the mean popularity. Defaults chosen on
// the last training events of ml-100k.
#include "train/cold_start.hpp"
#include "train/content_recommender.hpp"
#include "train/model_entry.hpp"

#include <algorithm>
#include <cmath>

namespace hg::train {
namespace {

struct VectorDbOptions {
    double half_life = 5;
    double popularity = 0.7;

    static void describe(OptionBinder& bind, VectorDbOptions& o) {
        bind(
            "half_life",
            o.half_life,
            "later events until a click counts half; 0 = never",
            {.min = 0}
        );
        bind("popularity", o.popularity, "share of popularity in the score", {.min = 0, .max = 1});
    }
};

ContentProfile::Blend blend_of(const VectorDbOptions& options) {
    return {
        .content = static_cast<float>(1 - options.popularity),
        .popularity = static_cast<float>(std::max(options.popularity, 1e-6)),
        .half_life = options.half_life,
    };
}

std::unique_ptr<Recommender> fit_vector_db(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<VectorDbOptions>();
    auto popularity = popularity_whisper(context.log, 1.0F);  // n_i / max n
    const auto& weights = context.log.columns().weights;
    const auto n_events =
        static_cast<double>(std::ranges::count_if(weights, [](float w) { return w > 0; }));
    double share = 0;
    for (const auto p : popularity) {
        share += p;
    }
    const double most = share > 0 ? n_events / share : 1;  // events of the most popular item
    for (auto& p : popularity) {
        p = static_cast<float>(std::log1p(p * most) / std::log1p(most));
    }
    return std::make_unique<ContentRecommender>(
        ContentProfile{*context.content, popularity, blend_of(options)}
    );
}

std::unique_ptr<Recommender> load_vector_db(
    const SafetensorsFile& weights, const Settings& settings
) {
    return std::make_unique<ContentRecommender>(
        ContentProfile{weights, blend_of(settings.read<VectorDbOptions>())}
    );
}

}  // namespace

extern const ModelEntry vector_db{
    .name = "vector_db",
    .summary = "recency-weighted mean of clicked items' vectors, blended with popularity",
    .facts = Fact::needs_content | Fact::uses_content,
    .options = &describe_options<VectorDbOptions>,
    .fit = &fit_vector_db,
    .load = &load_vector_db,
};

}  // namespace hg::train
