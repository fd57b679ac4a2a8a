// SPDX-License-Identifier: Apache-2.0
#include "train/content_map.hpp"

#include "core/error.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace hg::train {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::size_t n_folds = 5;
constexpr std::array penalties{0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0};
constexpr double default_penalty = 0.3;  // where there are too few items to hold some out

/// The items that can be learned from, as dense rows.
struct Examples {
    Eigen::MatrixXd content;  // [n, content_dim]
    Eigen::MatrixXd vectors;  // [n, d]
    Eigen::VectorXd weight;   // [n]
};

Examples examples_of(const ContentMapData& data) {
    std::vector<std::size_t> items;
    for (std::size_t i = 0; i < data.content.n_items(); ++i) {
        if (data.n_events[i] > 0 && data.content.present[i] != 0) {
            items.push_back(i);
        }
    }
    const auto n = static_cast<Eigen::Index>(items.size());
    Examples out{
        Eigen::MatrixXd(n, static_cast<Eigen::Index>(data.content.dim())),
        Eigen::MatrixXd(n, static_cast<Eigen::Index>(data.vectors.cols())),
        Eigen::VectorXd(n)
    };
    for (Eigen::Index row = 0; row < n; ++row) {
        const auto item = items[static_cast<std::size_t>(row)];
        const auto content = data.content.vectors.row(item);
        const auto vector = data.vectors.row(item);
        for (std::size_t c = 0; c < content.size(); ++c) {
            out.content(row, static_cast<Eigen::Index>(c)) = static_cast<double>(content[c]);
        }
        for (std::size_t c = 0; c < vector.size(); ++c) {
            out.vectors(row, static_cast<Eigen::Index>(c)) = static_cast<double>(vector[c]);
        }
        const auto n_events = static_cast<double>(data.n_events[item]);
        out.weight[row] = n_events / (n_events + 1);
    }
    return out;
}

/// Weighted moments around the weighted mean, in the eigenbasis of the content's Gram matrix: every
/// penalty is then a division.
class Solver {
  public:
    explicit Solver(const Examples& examples) {
        const double total = std::max(1e-12, examples.weight.sum());
        content_mean_ = (examples.weight.transpose() * examples.content) / total;
        vector_mean_ = (examples.weight.transpose() * examples.vectors) / total;
        const Eigen::MatrixXd centred = examples.content.rowwise() - content_mean_;
        const Eigen::MatrixXd weighted = examples.weight.asDiagonal() * centred;
        const Eigen::MatrixXd gram = centred.transpose() * weighted;
        scale_ = gram.trace() / static_cast<double>(std::max<Eigen::Index>(1, gram.rows())) + 1e-9;
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen{gram};
        basis_ = eigen.eigenvectors();
        values_ = eigen.eigenvalues().cwiseMax(0);
        cross_ = basis_.transpose() *
                 (weighted.transpose() * (examples.vectors.rowwise() - vector_mean_));
    }

    [[nodiscard]] Eigen::MatrixXd weights(double penalty) const {
        const Eigen::VectorXd inverse = (values_.array() + penalty * scale_).inverse();
        return basis_ * (inverse.asDiagonal() * cross_);
    }

    [[nodiscard]] Eigen::RowVectorXd offset(const Eigen::MatrixXd& weights) const {
        return vector_mean_ - content_mean_ * weights;
    }

    [[nodiscard]] const Eigen::RowVectorXd& vector_mean() const { return vector_mean_; }

  private:
    Eigen::RowVectorXd content_mean_;
    Eigen::RowVectorXd vector_mean_;
    Eigen::MatrixXd basis_;
    Eigen::VectorXd values_;
    Eigen::MatrixXd cross_;
    double scale_ = 1;
};

Examples rows_of(const Examples& all, const std::vector<Eigen::Index>& rows) {
    return {all.content(rows, Eigen::all), all.vectors(rows, Eigen::all), all.weight(rows)};
}

ContentFeatures features_of(const Examples& examples, ContentMapKind kind, Rng rng) {
    if (kind == ContentMapKind::ridge) {
        return {};
    }
    const auto n = static_cast<std::size_t>(examples.weight.size());
    const auto view = [n](const RowMatrix& m) {
        return MatrixView<const float>{m.data(), n, static_cast<std::size_t>(m.cols())};
    };
    const RowMatrix content = examples.content.cast<float>();
    const RowMatrix vectors = examples.vectors.cast<float>();
    const RowMatrix weight = examples.weight.cast<float>();
    return learn_content_features(
        {.content = view(content), .vectors = view(vectors), .weights = {weight.data(), n}},
        kind,
        std::move(rng)
    );
}

/// The same with the features in place of the content.
Examples described(Examples examples, const ContentFeatures& features) {
    if (features.empty()) {
        return examples;
    }
    const auto width = examples.content.cols() + static_cast<Eigen::Index>(features.offset.size());
    Eigen::MatrixXd all(examples.content.rows(), width);
    std::vector<float> content(static_cast<std::size_t>(examples.content.cols()));
    for (Eigen::Index row = 0; row < all.rows(); ++row) {
        for (std::size_t c = 0; c < content.size(); ++c) {
            content[c] = static_cast<float>(examples.content(row, static_cast<Eigen::Index>(c)));
        }
        const auto made = features.of(content);
        for (Eigen::Index c = 0; c < width; ++c) {
            all(row, c) = static_cast<double>(made[static_cast<std::size_t>(c)]);
        }
    }
    examples.content = std::move(all);
    return examples;
}

/// Weighted squared errors on held-out items, summed over them: [d] per penalty, and those of the
/// mean.
struct HeldOut {
    std::vector<Eigen::VectorXd> errors;
    Eigen::VectorXd around_mean;
    double weight = 0;
};

HeldOut hold_out(const Examples& all, std::span<const double> tried, ContentMapKind kind, Rng rng) {
    const auto n = static_cast<std::size_t>(all.weight.size());
    std::vector<Eigen::Index> order(n);
    for (std::size_t i = 0; i < n; ++i) {
        order[i] = static_cast<Eigen::Index>(i);
    }
    rng.shuffle(std::span{order});
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(all.vectors.cols());
    HeldOut sums{std::vector(tried.size(), zero), zero, all.weight.sum()};
    for (std::size_t fold = 0; fold < n_folds; ++fold) {
        std::vector<Eigen::Index> held;
        std::vector<Eigen::Index> rest;
        for (std::size_t i = 0; i < n; ++i) {
            (i % n_folds == fold ? held : rest).push_back(order[i]);
        }
        const auto known = rows_of(all, rest);
        const auto features = features_of(known, kind, rng.split(fold));
        const auto asked = described(rows_of(all, held), features);
        const Solver solver{described(known, features)};
        const auto squares = [&](const Eigen::MatrixXd& residual) {
            return Eigen::VectorXd{residual.cwiseAbs2().transpose() * asked.weight};
        };
        sums.around_mean += squares(asked.vectors.rowwise() - solver.vector_mean());
        for (std::size_t p = 0; p < tried.size(); ++p) {
            const auto weights = solver.weights(tried[p]);
            const Eigen::MatrixXd guess =
                (asked.content * weights).rowwise() + solver.offset(weights);
            sums.errors[p] += squares(asked.vectors - guess);
        }
    }
    return sums;
}

}  // namespace

std::vector<float> ContentMap::place(std::span<const float> content) const {
    HG_CHECK(content.size() == content_dim(), "content of another width than at training");
    std::vector<float> made;
    if (!features.empty()) {
        made = features.of(content);
        content = made;
    }
    auto place = offset;
    for (std::size_t r = 0; r < content.size(); ++r) {
        const auto row = weights.row(r);
        for (std::size_t c = 0; c < place.size(); ++c) {
            place[c] += content[r] * row[c];
        }
    }
    return place;
}

ContentMap fit_content_map(const ContentMapData& data, Rng rng) {
    HG_CHECK(
        data.vectors.rows() == data.content.n_items() &&
            data.n_events.size() == data.content.n_items(),
        "content, vectors and events must be of the same items"
    );
    const auto all = examples_of(data);
    if (all.weight.size() < 2) {
        return {};
    }
    ContentMap map;
    double chosen = data.penalty > 0 ? data.penalty : default_penalty;
    Eigen::VectorXd variance;
    if (static_cast<std::size_t>(all.weight.size()) >= 2 * n_folds) {
        const std::vector<double> tried =
            data.penalty > 0 ? std::vector{data.penalty}
                             : std::vector<double>{penalties.begin(), penalties.end()};
        const auto held = hold_out(all, tried, data.kind, rng);
        const auto best = static_cast<std::size_t>(
            std::ranges::min_element(held.errors, {}, [](const auto& e) { return e.sum(); }) -
            held.errors.begin()
        );
        chosen = tried[best];
        variance = held.errors[best] / held.weight;
        map.explained = static_cast<float>(
            1 - held.errors[best].sum() / std::max(1e-30, held.around_mean.sum())
        );
    }
    map.features = features_of(all, data.kind, rng.split("all"));
    const auto examples = described(all, map.features);
    const Solver solver{examples};
    const auto weights = solver.weights(chosen);
    const auto offset = solver.offset(weights);
    if (variance.size() == 0) {  // nothing could be held out: as if content told nothing
        variance =
            ((all.vectors.rowwise() - solver.vector_mean()).cwiseAbs2().transpose() * all.weight) /
            std::max(1e-12, all.weight.sum());
    }
    map.penalty = static_cast<float>(chosen);
    map.weights =
        Matrix<float>(static_cast<std::size_t>(examples.content.cols()), data.vectors.cols());
    const RowMatrix rounded = weights.cast<float>();
    std::copy_n(rounded.data(), rounded.size(), map.weights.values().begin());
    for (Eigen::Index c = 0; c < offset.size(); ++c) {
        map.offset.push_back(static_cast<float>(offset[c]));
        map.variance.push_back(static_cast<float>(variance[c]));
    }
    return map;
}

}  // namespace hg::train
