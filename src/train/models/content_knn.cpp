// SPDX-License-Identifier: Apache-2.0
// content_knn: items made of what the user liked so far: cosine of the history's mean to each item.
//
// Knows nothing of other users, so it serves an item the day it appears. Pazzani and Billsus,
// "Content-based recommendation systems", 2007; every liked event counts the same, however old.
#include "train/cold_start.hpp"
#include "train/content_recommender.hpp"
#include "train/model_entry.hpp"

namespace hg::train {
namespace {

struct ContentKnnOptions {
    static void describe(OptionBinder& /*bind*/, ContentKnnOptions& /*o*/) {}
};

std::unique_ptr<Recommender> fit_content_knn(const FitContext& context, const Settings& settings) {
    (void)settings.read<ContentKnnOptions>();
    const auto whisper = popularity_whisper(context.log);
    return std::make_unique<ContentRecommender>(ContentProfile{*context.content, whisper, {}});
}

std::unique_ptr<Recommender>
load_content_knn(const SafetensorsFile& weights, const Settings& /*settings*/) {
    return std::make_unique<ContentRecommender>(ContentProfile{weights, {}});
}

}  // namespace

extern const ModelEntry content_knn{
    .name = "content_knn",
    .summary = "items whose content is like the history's mean; serves new items at once",
    .facts = Fact::needs_content | Fact::uses_content,
    .options = &describe_options<ContentKnnOptions>,
    .fit = &fit_content_knn,
    .load = &load_content_knn,
};

}  // namespace hg::train
