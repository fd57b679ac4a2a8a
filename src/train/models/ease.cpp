// SPDX-License-Identifier: Apache-2.0
// ease: a linear model that predicts each item from all others, in closed form.
//
// B = I - P diag(P)^-1 with P = (X'X + lambda I)^-1, score = x B (Steck, "Embarrassingly shallow
// autoencoders for sparse data", WWW 2019, eq. 8); X binary. Strong where items fit in memory:
// n_items^2 numbers. Deviation: optionally only the most popular max_items take part, the others
// get popularity alone.
#include "train/cold_start.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"
#include "train/sparse.hpp"

#include <torch/types.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>
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
    Ease(Matrix<float> weights, std::vector<std::uint32_t> items, std::vector<float> whisper)
        : weights_(std::move(weights)), items_(std::move(items)), whisper_(std::move(whisper)) {
        rows_.assign(whisper_.size(), absent);
        for (std::uint32_t row = 0; row < items_.size(); ++row) {
            rows_[items_[row]] = row;
        }
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        std::vector<float> sums(items_.size());
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::fill(sums, 0.0F);
            for (const auto item : positive_items(histories[row]).items) {
                if (rows_[item] == absent) {
                    continue;
                }
                const auto weights = weights_.row(rows_[item]);
                for (std::size_t i = 0; i < sums.size(); ++i) {
                    sums[i] += weights[i];
                }
            }
            const auto scores = out.row(row);
            std::ranges::copy(whisper_, scores.begin());
            for (std::size_t i = 0; i < sums.size(); ++i) {
                scores[items_[i]] += sums[i];
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return whisper_.size(); }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("weights", weights_.view());
        weights.add<std::uint32_t>("items", items_);
        weights.add<float>("popularity", whisper_);
    }

  private:
    static constexpr std::uint32_t absent = ~std::uint32_t{0};

    Matrix<float> weights_;             // [n_kept, n_kept], row = item of the history
    std::vector<std::uint32_t> items_;  // [n_kept] row of weights_ -> item
    std::vector<std::uint32_t> rows_;   // [n_items] the reverse
    std::vector<float> whisper_;        // [n_items]
};

/// The items that take part, ascending.
std::vector<std::uint32_t> kept_items(const std::vector<float>& counts, std::int64_t most) {
    std::vector<std::uint32_t> items(counts.size());
    std::iota(items.begin(), items.end(), 0U);
    if (most > 0 && std::cmp_less(most, items.size())) {
        std::ranges::stable_sort(items, std::greater{}, [&](auto item) { return counts[item]; });
        items.resize(static_cast<std::size_t>(most));
        std::ranges::sort(items);
    }
    return items;
}

double machine_bytes() {
    return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<double>(::sysconf(_SC_PAGE_SIZE));
}

/// Bytes at the peak: Gram, factor and inverse, beside the float32 result.
double peak_bytes(std::size_t n, torch::ScalarType type) {
    constexpr double matrices = 3;
    const double element = type == torch::kFloat64 ? 8 : 4;
    return static_cast<double>(n) * static_cast<double>(n) * (matrices * element + sizeof(float));
}

torch::ScalarType choose_precision(std::size_t n, const EaseOptions& options) {
    constexpr double giga = 1e9;
    const double limit = options.memory_gb > 0 ? options.memory_gb * giga : machine_bytes() / 2;
    if (options.precision != "fp32" && peak_bytes(n, torch::kFloat64) <= limit) {
        return torch::kFloat64;
    }
    if (options.precision != "fp64" && peak_bytes(n, torch::kFloat32) <= limit) {
        return torch::kFloat32;
    }
    const auto type = options.precision == "fp64" ? torch::kFloat64 : torch::kFloat32;
    throw Error{
        ErrorCode::exhausted,
        fmt::format(
            "ease: {} items need {:.1f} GB, the limit is {:.1f} GB",
            n,
            peak_bytes(n, type) / giga,
            limit / giga
        ),
        fmt::format(
            "keep the most popular items, --set max_items={}, allow more with --set memory_gb=N, "
            "or use als",
            static_cast<std::size_t>(std::sqrt(limit / peak_bytes(1, type)))
        )
    };
}

template <typename T>
torch::Tensor make_gram(
    const Csr& users, const std::vector<std::uint32_t>& items, torch::ScalarType type, double lambda
) {
    const auto n = static_cast<std::int64_t>(items.size());
    auto gram = torch::zeros({n, n}, type);  // [item, item]
    auto* const cells = gram.data_ptr<T>();
    std::vector<std::int64_t> place(users.n_cols, -1);
    for (std::size_t i = 0; i < items.size(); ++i) {
        place[items[i]] = static_cast<std::int64_t>(i);
    }
    const auto counts = column_counts(users);
    for_each_cooccurrence_row(users, [&](ItemId item, std::span<const Neighbour> others) {
        const auto row = place[item.index()];
        if (row < 0) {
            return;
        }
        for (const auto& other : others) {
            if (place[other.item] >= 0) {
                cells[row * n + place[other.item]] = static_cast<T>(other.count);
            }
        }
        cells[row * n + row] = static_cast<T>(counts[item.index()] + lambda);
    });
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

template <typename T>
Matrix<float> solve(
    const Csr& users, const std::vector<std::uint32_t>& items, torch::ScalarType type, double lambda
) {
    return to_weights<T>(invert(make_gram<T>(users, items, type, lambda)));
}

std::unique_ptr<Recommender> fit(const FitContext& context, const Settings& settings) {
    const torch::InferenceMode no_gradients;
    const auto options = settings.read<EaseOptions>();
    const auto users = positive_pairs(context.log);
    auto items = kept_items(column_counts(users), options.max_items);
    const auto type = choose_precision(items.size(), options);
    if (context.run != nullptr) {
        context.run->note("precision", type == torch::kFloat64 ? "fp64" : "fp32");
    }
    auto weights = type == torch::kFloat64 ? solve<double>(users, items, type, options.lambda)
                                           : solve<float>(users, items, type, options.lambda);
    return std::make_unique<Ease>(
        std::move(weights), std::move(items), popularity_whisper(context.log)
    );
}

std::unique_ptr<Recommender> load(const SafetensorsFile& file, const Settings& /*settings*/) {
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
        std::vector<std::uint32_t>{items.begin(), items.end()},
        std::vector<float>{whisper.begin(), whisper.end()}
    );
}

}  // namespace

extern const ModelEntry ease{
    .name = "ease",
    .summary = "each item predicted from all others in closed form; strong, needs items^2 memory",
    .facts = Fact::none,
    .options = &describe_options<EaseOptions>,
    .fit = &fit,
    .load = &load,
};

}  // namespace hg::train
