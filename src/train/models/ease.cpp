// SPDX-License-Identifier: Apache-2.0
// ease: a linear model that predicts each item from all others, in closed form.
//
// B = I - P diag(P)^-1 with P = (X'X + lambda I)^-1, score = x B (Steck, "Embarrassingly shallow
// autoencoders for sparse data", WWW 2019, eq. 8); X binary. Strong where items fit in memory:
// n_items^2 numbers. Deviation: optionally only the most popular max_items take part, the others
// get popularity alone.
#include "core/memory_limit.hpp"
#include "train/cold_start.hpp"
#include "train/cooccurrence_tensor.hpp"
#include "train/kept_items.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"
#include "train/sparse.hpp"

#include <torch/types.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::train {
namespace {

struct EaseOptions {
    double lambda = 500;
    std::int64_t max_items = 0;
    double memory_gb = 0;
    std::string precision = "auto";

    static void describe(OptionBinder& bind, EaseOptions& o) {
        bind("lambda", o.lambda, "L2 penalty", {.min = 1e-3, .max = 1e9});
        bind("max_items", o.max_items, "only the most popular take part; 0 = all", {.min = 0});
        bind("memory_gb", o.memory_gb, "refuse to use more; 0 = half of the machine's", {.min = 0});
        bind(
            "precision",
            o.precision,
            "of the inverse; auto = fp64 where it fits in memory",
            {.choices = {"auto", "fp32", "fp64"}}
        );
    }
};

class Ease final : public Recommender {
  public:
    Ease(Matrix<float> weights, KeptItems kept, std::vector<float> whisper)
        : weights_(std::move(weights)), kept_(std::move(kept)), whisper_(std::move(whisper)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(whisper_, out.row(row).begin());
            kept_.add_rows(histories[row], weights_.view(), out.row(row));
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return whisper_.size(); }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("weights", weights_.view());
        weights.add<std::uint32_t>("items", kept_.items());
        weights.add<float>("popularity", whisper_);
    }

  private:
    Matrix<float> weights_;  // [n_kept, n_kept], row = item of the history
    KeptItems kept_;
    std::vector<float> whisper_;  // [n_items]
};

/// Bytes at the peak: Gram, factor and inverse, beside the float32 result.
double peak_bytes(std::size_t n, torch::ScalarType type) {
    constexpr double matrices = 3;
    const double element = type == torch::kFloat64 ? 8 : 4;
    return static_cast<double>(n) * static_cast<double>(n) * (matrices * element + sizeof(float));
}

torch::ScalarType choose_precision(std::size_t n, const EaseOptions& options, double memory_limit) {
    constexpr double giga = 1e9;
    const double limit = options.memory_gb > 0 ? options.memory_gb * giga : memory_limit;
    if (options.precision != "fp32" && peak_bytes(n, torch::kFloat64) <= limit) {
        return torch::kFloat64;
    }
    const auto type = options.precision == "fp64" ? torch::kFloat64 : torch::kFloat32;
    check_memory({
        .what = fmt::format("ease: {} items", n),
        .bytes = peak_bytes(n, type),
        .limit_bytes = limit,
        .hint = fmt::format(
            "keep the most popular items, --set max_items={}, allow more with --set memory_gb=N, "
            "or use als",
            static_cast<std::size_t>(std::sqrt(limit / peak_bytes(1, type)))
        ),
    });
    return type;
}

torch::Tensor make_gram(
    const Csr& users, const KeptItems& kept, torch::ScalarType type, double lambda
) {
    const auto n = static_cast<std::int64_t>(kept.size());
    auto gram = torch::zeros({n, n}, type);  // [item, item]
    add_cooccurrences(users, kept, {}, gram);
    const auto counts = column_counts(users);
    std::vector<float> own;
    for (const auto item : kept.items()) {
        own.push_back(counts[item]);
    }
    gram.diagonal().add_(torch::tensor(own, type) + lambda);
    return gram;
}

torch::Tensor invert(torch::Tensor gram) {
    auto factor = std::get<0>(at::linalg_cholesky_ex(gram, /*upper=*/false, /*check_errors=*/true));
    gram.reset();
    return at::cholesky_inverse(factor);
}

/// B' row by row: the weight of item i (row) for item j is -P_ij / P_jj.
template <typename T>
Matrix<float> to_weights(const torch::Tensor& inverse) {
    const auto n = static_cast<std::size_t>(inverse.size(0));
    const auto* const cells = inverse.const_data_ptr<T>();
    Matrix<float> weights(n, n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            weights(i, j) =
                i == j ? 0.0F : static_cast<float>(-cells[i * n + j] / cells[j * n + j]);
        }
    }
    return weights;
}

std::unique_ptr<Recommender> fit_ease(const FitContext& context, const Settings& settings) {
    const torch::InferenceMode no_gradients;
    const auto options = settings.read<EaseOptions>();
    const auto users = positive_pairs(context.log);
    KeptItems kept{most_popular(column_counts(users), options.max_items), users.n_cols};
    const auto type = choose_precision(kept.size(), options, context.memory_limit);
    if (context.run != nullptr) {
        context.run->note("precision", type == torch::kFloat64 ? "fp64" : "fp32");
    }
    const auto inverse = invert(make_gram(users, kept, type, options.lambda));
    auto weights =
        type == torch::kFloat64 ? to_weights<double>(inverse) : to_weights<float>(inverse);
    return std::make_unique<Ease>(
        std::move(weights), std::move(kept), popularity_whisper(context.log)
    );
}

std::unique_ptr<Recommender> load_ease(const SafetensorsFile& file, const Settings& /*settings*/) {
    const auto weights = value_or_throw(file.matrix<float>("weights"));
    const auto items = value_or_throw(file.values<std::uint32_t>("items"));
    const auto whisper = value_or_throw(file.values<float>("popularity"));
    const bool fits = weights.rows() == weights.cols() && items.size() == weights.rows() &&
                      std::ranges::all_of(items, [&](auto item) { return item < whisper.size(); });
    if (!fits) {
        throw Error{ErrorCode::corrupt, "ease: weights, items and popularity do not fit together"};
    }
    const std::span<const float> values{weights.data(), weights.rows() * weights.cols()};
    return std::make_unique<Ease>(
        Matrix<float>{weights.rows(), weights.cols(), {values.begin(), values.end()}},
        KeptItems{{items.begin(), items.end()}, whisper.size()},
        std::vector<float>{whisper.begin(), whisper.end()}
    );
}

}  // namespace

extern const ModelEntry ease{
    .name = "ease",
    .summary = "each item predicted from all others in closed form; strong, needs items^2 memory",
    .facts = Fact::none,
    .options = &describe_options<EaseOptions>,
    .fit = &fit_ease,
    .load = &load_ease,
};

}  // namespace hg::train
