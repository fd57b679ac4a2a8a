// SPDX-License-Identifier: Apache-2.0
#include "train/content_profile.hpp"

#include "train/dense.hpp"

#include <algorithm>
#include <cmath>

namespace hg::train {

ContentProfile::ContentProfile(
    const encode::ItemVectors& content, std::span<const float> popularity, Blend blend
)
    : items_(content.n_items(), content.dim() + 1), blend_(blend) {
    HG_CHECK(
        popularity.size() == content.n_items(), "popularity and content must be of the same items"
    );
    for (std::size_t item = 0; item < content.n_items(); ++item) {
        const auto row = items_.row(item);
        std::ranges::copy(content.vectors.row(item), row.begin());
        normalise(row.first(dim()));
        row.back() = popularity[item];
    }
}

ContentProfile::ContentProfile(const SafetensorsFile& weights, Blend blend) : blend_(blend) {
    const auto items = value_or_throw(weights.matrix<float>("items"));
    if (items.cols() < 2) {
        throw Error{ErrorCode::corrupt, "weights: items has no content columns"};
    }
    const std::span<const float> values{items.data(), items.rows() * items.cols()};
    items_ = Matrix<float>{items.rows(), items.cols(), {values.begin(), values.end()}};
}

void ContentProfile::save(SafetensorsWriter& weights) const {
    weights.add<float>("items", items_.view());
}

void ContentProfile::users(std::span<const data::History> histories, MatrixView<float> out) const {
    for (std::size_t row = 0; row < histories.size(); ++row) {
        const auto& history = histories[row];
        const auto mean = out.row(row).first(dim());
        std::ranges::fill(mean, 0.0F);
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (history.weight(i) <= 0) {
                continue;
            }
            const auto age = static_cast<double>(history.size() - 1 - i);
            const auto share =
                static_cast<float>(blend_.half_life > 0 ? std::exp2(-age / blend_.half_life) : 1);
            const auto item = items_.row(history.items[i].index());
            for (std::size_t d = 0; d < mean.size(); ++d) {
                mean[d] += share * item[d];
            }
        }
        normalise(mean);
        for (auto& value : mean) {
            value *= blend_.content;
        }
        out.row(row).back() = blend_.popularity;
    }
}

Matrix<float> ContentProfile::rows_of(MatrixView<const float> content) const {
    double popularity = 0;
    for (std::size_t item = 0; item < items_.rows(); ++item) {
        popularity += items_(item, dim());
    }
    popularity /= static_cast<double>(std::max<std::size_t>(items_.rows(), 1));
    Matrix<float> fresh(content.rows(), items_.cols());
    for (std::size_t item = 0; item < content.rows(); ++item) {
        std::ranges::copy(content.row(item), fresh.row(item).begin());
        normalise(fresh.row(item).first(dim()));
        fresh.row(item).back() = static_cast<float>(popularity);
    }
    return fresh;
}

ContentProfile ContentProfile::grown(MatrixView<const float> content) const {
    const auto fresh = rows_of(content);
    Matrix<float> all(items_.rows() + fresh.rows(), items_.cols());
    std::ranges::copy(items_.values(), all.values().begin());
    std::ranges::copy(fresh.values(), all.values().subspan(items_.rows() * items_.cols()).begin());
    return {std::move(all), blend_};
}

void ContentProfile::score_new(
    std::span<const data::History> histories, MatrixView<const float> content, MatrixView<float> out
) const {
    const auto fresh = rows_of(content);
    Matrix<float> profiles(histories.size(), items_.cols());
    users(histories, profiles.view());
    multiply_transposed(profiles.view(), fresh.view(), out);
}

}  // namespace hg::train
