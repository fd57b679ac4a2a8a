// SPDX-License-Identifier: Apache-2.0
// als: matrix factorisation of implicit feedback by alternating least squares.
//
// Minimises sum over observed w (1 - u.v)^2 + a sum over all (u.v)^2 + reg. Hu, Koren, Volinsky,
// "Collaborative filtering for implicit feedback datasets", ICDM 2008 (their alpha is our 1/a),
// with the regularisation of Rendle et al., "Revisiting the performance of iALS", RecSys 2022:
// lambda (n_observed + a n_other)^nu, so that busy and quiet users are shrunk alike. w = 1 +
// log(sum of weights) of a pair, 1 for one event. A user is folded in from the history at score
// time by the same least squares, so users never trained on are equal to the others; user factors
// are not kept.
//
// A sweep moves every row by a few steps of conjugate gradients from where it was (Takacs,
// Pilaszy, Tikk, "Applications of the conjugate gradient method for implicit feedback
// collaborative filtering", RecSys 2011): a row costs its events times the factors, not times their
// square. Folding in solves exactly, by Cholesky.
#include "core/dot.hpp"
#include "core/signed_index.hpp"
#include "train/cold_start.hpp"
#include "train/dense.hpp"
#include "train/model_entry.hpp"
#include "train/sparse.hpp"
#include "train/threads.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <span>
#include <vector>

namespace hg::train {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXf;

struct AlsOptions {
    std::int64_t factors = 128;
    std::int64_t iterations = 10;
    double unobserved_weight = 0;
    double regularization = 0.01;
    double frequency_exponent = 1;
    std::int64_t gradient_steps = 3;

    static void describe(OptionBinder& bind, AlsOptions& o) {
        bind("factors", o.factors, "length of the vectors", {.min = 1, .max = 2048});
        bind("iterations", o.iterations, "sweeps over users and items", {.min = 1, .max = 1000});
        bind(
            "unobserved_weight",
            o.unobserved_weight,
            "of a pair never seen, against 1 of a seen one; 0 = such that all unseen items "
            "together "
            "weigh three times what the mean user has seen, at most 0.1",
            {.min = 0, .max = 10}
        );
        bind("regularization", o.regularization, "lambda", {.min = 1e-9, .max = 1e6});
        bind(
            "frequency_exponent",
            o.frequency_exponent,
            "0 = the same for all, 1 = scaled by events",
            {.min = 0, .max = 1}
        );
        bind(
            "gradient_steps",
            o.gradient_steps,
            "conjugate gradient steps of a row in a sweep; 0 = solve it exactly, which takes "
            "several times as long",
            {.min = 0, .max = 100}
        );
    }
};

/// Solves rows of one side against the fixed factors of the other. Const-safe.
class Solver {
  public:
    Solver(const Rows& fixed, const AlsOptions& options) : fixed_(fixed), options_(options) {
        gram_ = static_cast<float>(options.unobserved_weight) * (fixed.transpose() * fixed);
    }

    void solve(
        std::span<const std::uint32_t> observed,
        std::span<const float> weights,
        Eigen::Ref<Vector> out
    ) const {
        out.setZero();
        if (observed.empty()) {
            return;
        }
        // [observed, factors], rows times sqrt(w)
        Rows scaled(index(observed.size()), fixed_.cols());
        Vector roots(index(observed.size()));
        for (Eigen::Index i = 0; i < roots.size(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            roots[i] = std::sqrt(confidence(weights[at]));
            scaled.row(i) = roots[i] * fixed_.row(observed[at]);
        }
        Eigen::MatrixXf system = gram_;
        system.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
        system.diagonal().array() += penalty(observed.size());
        out = system.selfadjointView<Eigen::Lower>().llt().solve(scaled.transpose() * roots);
    }

    /// Goes `steps` steps from `row` towards what solve() would say.
    void improve(
        std::span<const std::uint32_t> observed,
        std::span<const float> weights,
        std::int64_t steps,
        Eigen::Ref<Vector> row
    ) const {
        if (observed.empty()) {
            row.setZero();
            return;
        }
        const float ridge = penalty(observed.size());
        // residual = b - A row with b the weighted sum of the observed rows, in one pass over them.
        Vector residual = -(gram_ * row) - ridge * row;
        for (std::size_t i = 0; i < observed.size(); ++i) {
            const auto other = fixed_.row(observed[i]);
            residual += confidence(weights[i]) * (1 - inner(other, row)) * other.transpose();
        }
        Vector direction = residual;
        Vector product(row.size());
        float squares = residual.squaredNorm();
        for (std::int64_t step = 0; step < steps && squares > 1e-12F; ++step) {
            product.noalias() = gram_ * direction;
            product += ridge * direction;
            for (std::size_t i = 0; i < observed.size(); ++i) {
                const auto other = fixed_.row(observed[i]);
                product += confidence(weights[i]) * inner(other, direction) * other.transpose();
            }
            const float length = squares / direction.dot(product);
            row += length * direction;
            residual -= length * product;
            const float next = residual.squaredNorm();
            direction = residual + (next / squares) * direction;
            squares = next;
        }
    }

  private:
    static float inner(const auto& fixed_row, const auto& vector) {
        const auto n = static_cast<std::size_t>(vector.size());
        return dot(std::span{fixed_row.data(), n}, std::span{vector.data(), n});
    }

    static float confidence(float weight) { return 1.0F + std::max(0.0F, std::log(weight)); }

    [[nodiscard]] float penalty(std::size_t n_observed) const {
        const auto events = static_cast<double>(n_observed) +
                            options_.unobserved_weight * static_cast<double>(fixed_.rows());
        return static_cast<float>(
            options_.regularization * std::pow(events, options_.frequency_exponent)
        );
    }

    const Rows& fixed_;
    AlsOptions options_;
    Eigen::MatrixXf gram_;
};

class Als final : public Recommender {
  public:
    Als(Rows factors, std::vector<float> whisper, const AlsOptions& options)
        : factors_(std::move(factors)),
          whisper_(std::move(whisper)),
          unobserved_weight_(options.unobserved_weight),
          solver_(factors_, options),
          items_(whisper_.size(), static_cast<std::size_t>(factors_.cols()) + 1) {
        for (std::size_t item = 0; item < whisper_.size(); ++item) {
            const auto row = items_.row(item);
            std::copy_n(factors_.row(index(item)).data(), factors_.cols(), row.begin());
            row.back() = whisper_[item];
        }
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        Matrix<float> users(histories.size(), items_.cols());
        user_vectors(histories, users.view());
        multiply_transposed(users.view(), items_.view(), out);
    }

    [[nodiscard]] std::size_t n_items() const override { return whisper_.size(); }

    /// [n_items, factors + 1]: the last column carries the popularity of cold_start.hpp.
    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return items_.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        Vector solved(factors_.cols());
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto positive = positive_items(histories[row]);
            solver_.solve(positive.items, positive.weights, solved);
            std::copy_n(solved.data(), solved.size(), out.row(row).begin());
            out.row(row).back() = 1.0F;
        }
    }

    void save(SafetensorsWriter& weights) const override {
        const MatrixView<const float> factors{factors_.data(), whisper_.size(), items_.cols() - 1};
        weights.add<float>("item_factors", factors);
        weights.add<float>("popularity", whisper_);
        weights.add<double>("unobserved_weight", std::span<const double>{&unobserved_weight_, 1});
    }

  private:
    Rows factors_;                // [n_items, factors]
    std::vector<float> whisper_;  // [n_items]
    double unobserved_weight_;    // that was fitted with, and new users are folded in with
    Solver solver_;
    Matrix<float> items_;  // [n_items, factors + 1]
};

void sweep(const Csr& observed, const Rows& fixed, const AlsOptions& options, Rows& solved) {
    const Solver solver{fixed, options};
    constexpr std::size_t block = 64;
    parallel_blocks(static_cast<std::size_t>(solved.rows()), block, [&](auto begin, auto end) {
        Vector row(solved.cols());
        for (auto i = begin; i < end; ++i) {
            if (options.gradient_steps > 0) {
                row = solved.row(index(i)).transpose();
                solver.improve(
                    observed.row(i), observed.row_values(i), options.gradient_steps, row
                );
            } else {
                solver.solve(observed.row(i), observed.row_values(i), row);
            }
            solved.row(index(i)) = row.transpose();
        }
    });
}

/// A weight that suits a thousand items drowns what users have seen of a million: the penalty grows
/// with the weight of all of them.
double weight_for(const Csr& users) {
    const auto n_users = std::ranges::count_if(
        std::views::iota(std::size_t{0}, users.n_rows()),
        [&users](std::size_t row) { return !users.row(row).empty(); }
    );
    const auto pairs = static_cast<double>(n_users) * static_cast<double>(users.n_cols);
    constexpr double most = 0.1;
    if (pairs == 0) {
        return most;
    }
    return std::clamp(3 * static_cast<double>(users.indices.size()) / pairs, 1e-6, most);
}

std::unique_ptr<Recommender> fit_als(const FitContext& context, const Settings& settings) {
    auto options = settings.read<AlsOptions>();
    const auto users = positive_pairs(context.log);
    constexpr double item_copies = 3;  // learned, kept for solving, served
    check_memory({
        .what = fmt::format(
            "als: {} users and {} items in {} numbers",
            users.n_rows(),
            users.n_cols,
            options.factors
        ),
        .bytes = (static_cast<double>(users.n_rows()) +
                  item_copies * static_cast<double>(users.n_cols)) *
                 static_cast<double>(options.factors) * sizeof(float),
        .limit_bytes = context.memory_limit,
        .hint = "fewer numbers, --set factors=64, or a part of the users",
    });
    if (options.unobserved_weight == 0) {
        options.unobserved_weight = weight_for(users);
    }
    const auto items = transpose(users);
    Rows user_factors = Rows::Zero(index(users.n_rows()), options.factors);
    Rows item_factors(index(users.n_cols), options.factors);
    auto rng = context.rng.split("als");
    const double deviation = 0.1 / std::sqrt(static_cast<double>(options.factors));
    for (Eigen::Index i = 0; i < item_factors.size(); ++i) {
        item_factors.data()[i] = static_cast<float>(deviation * rng.normal());
    }
    Progress bar{context.progress, "als", static_cast<std::size_t>(options.iterations), "sweeps"};
    for (std::int64_t i = 0; i < options.iterations; ++i) {
        if (context.stop.stop_requested()) {
            throw Error{
                ErrorCode::interrupted, "stopped; als keeps no checkpoint", "run the command again"
            };
        }
        sweep(users, item_factors, options, user_factors);
        sweep(items, user_factors, options, item_factors);
        bar.advance();
    }
    return std::make_unique<Als>(std::move(item_factors), popularity_whisper(context.log), options);
}

std::unique_ptr<Recommender> load_als(const SafetensorsFile& weights, const Settings& settings) {
    const auto factors = value_or_throw(weights.matrix<float>("item_factors"));
    const auto whisper = value_or_throw(weights.values<float>("popularity"));
    auto options = settings.read<AlsOptions>();
    if (weights.tensors().contains("unobserved_weight")) {  // chosen by the fit
        const auto fitted = value_or_throw(weights.values<double>("unobserved_weight"));
        if (fitted.size() != 1 || !(fitted[0] > 0)) {
            throw Error{ErrorCode::corrupt, "als: unobserved_weight is not one number above 0"};
        }
        options.unobserved_weight = fitted[0];
    } else if (options.unobserved_weight == 0) {
        throw Error{ErrorCode::corrupt, "als: the unobserved_weight that was fitted is missing"};
    }
    if (factors.rows() != whisper.size() || std::cmp_not_equal(factors.cols(), options.factors)) {
        throw Error{
            ErrorCode::corrupt, "als: item_factors do not fit popularity and the option factors"
        };
    }
    return std::make_unique<Als>(
        Eigen::Map<const Rows>{factors.data(), index(factors.rows()), index(factors.cols())},
        std::vector<float>{whisper.begin(), whisper.end()},
        options
    );
}

}  // namespace

extern const ModelEntry als{
    .name = "als",
    .summary = "matrix factorisation of implicit feedback; new users are folded in",
    .facts = Fact::none,
    .options = &describe_options<AlsOptions>,
    .fit = &fit_als,
    .load = &load_als,
};

}  // namespace hg::train
