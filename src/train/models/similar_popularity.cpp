// SPDX-License-Identifier: Apache-2.0
// similar_popularity: popularity for items nobody has met: that of the items most like them.
//
// An item of the log scores log(1 + its events); one that came later is given the mean of those
// nearest to it by the cosine of content, weighted by that cosine. The same for every user: the row
// that tells what content knows of a new item's appeal from what it knows of a user's taste.
#include "core/top_k.hpp"
#include "train/dense.hpp"
#include "train/model_entry.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

struct SimilarPopularityOptions {
    std::int64_t neighbours = 20;

    static void describe(OptionBinder& bind, SimilarPopularityOptions& o) {
        bind(
            "neighbours",
            o.neighbours,
            "items like a new one whose popularity is averaged",
            {.min = 1, .max = 1e6}
        );
    }
};

class SimilarPopularity final : public Recommender {
  public:
    SimilarPopularity(Matrix<float> content, std::vector<float> appeal, std::size_t neighbours)
        : content_(std::move(content)), appeal_(std::move(appeal)), neighbours_(neighbours) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(appeal_, out.row(row).begin());
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return appeal_.size(); }

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override {
        if (content.cols() != content_.cols()) {
            return nullptr;
        }
        Matrix<float> all(n_items() + content.rows(), content.cols());
        std::ranges::copy(content_.values(), all.values().begin());
        auto appeal = appeal_;
        std::vector<float> cosines(n_items());
        for (std::size_t i = 0; i < content.rows(); ++i) {
            const auto row = all.row(n_items() + i);
            std::ranges::copy(content.row(i), row.begin());
            normalise(row);
            multiply_transposed(
                MatrixView<const float>{row.data(), 1, row.size()},
                content_.view(),
                MatrixView<float>{cosines.data(), 1, cosines.size()}
            );
            appeal.push_back(mean_of_nearest(cosines));
        }
        return std::make_unique<SimilarPopularity>(std::move(all), std::move(appeal), neighbours_);
    }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("content", content_.view());
        weights.add<float>("appeal", std::span<const float>{appeal_});
    }

  private:
    [[nodiscard]] float mean_of_nearest(std::span<const float> cosines) const {
        double sum = 0;
        double total = 0;
        for (const auto& near : top_k(cosines, neighbours_)) {
            const double share = std::max(1e-6, static_cast<double>(near.score));
            sum += share * static_cast<double>(appeal_[near.index]);
            total += share;
        }
        return total > 0 ? static_cast<float>(sum / total) : 0.0F;
    }

    Matrix<float> content_;      // [n_items, content_dim], unit rows
    std::vector<float> appeal_;  // [n_items], log(1 + positive events)
    std::size_t neighbours_;
};

std::unique_ptr<Recommender> fit_similar_popularity(
    const FitContext& context, const Settings& settings
) {
    const auto options = settings.read<SimilarPopularityOptions>();
    const auto& columns = context.log.columns();
    std::vector<float> appeal(context.log.n_items());
    for (std::size_t i = 0; i < context.log.size(); ++i) {
        if (columns.weights[i] > 0) {
            appeal[columns.items[i].index()] += 1;
        }
    }
    for (auto& value : appeal) {
        value = std::log1p(value);
    }
    Matrix<float> content = context.content->vectors;
    for (std::size_t item = 0; item < content.rows(); ++item) {
        normalise(content.row(item));
    }
    return std::make_unique<SimilarPopularity>(
        std::move(content), std::move(appeal), static_cast<std::size_t>(options.neighbours)
    );
}

std::unique_ptr<Recommender> load_similar_popularity(
    const SafetensorsFile& weights, const Settings& settings
) {
    const auto options = settings.read<SimilarPopularityOptions>();
    const auto content = value_or_throw(weights.matrix<float>("content"));
    const auto appeal = value_or_throw(weights.values<float>("appeal"));
    if (content.rows() != appeal.size()) {
        throw Error{ErrorCode::corrupt, "similar_popularity: content and appeal do not fit"};
    }
    const std::span<const float> values{content.data(), content.rows() * content.cols()};
    return std::make_unique<SimilarPopularity>(
        Matrix<float>{content.rows(), content.cols(), {values.begin(), values.end()}},
        std::vector<float>{appeal.begin(), appeal.end()},
        static_cast<std::size_t>(options.neighbours)
    );
}

}  // namespace

extern const ModelEntry similar_popularity{
    .name = "similar_popularity",
    .summary = "popularity, and for items without events that of the items most like them",
    .facts = Fact::needs_content | Fact::uses_content,
    .options = &describe_options<SimilarPopularityOptions>,
    .fit = &fit_similar_popularity,
    .load = &load_similar_popularity,
};

}  // namespace hg::train
