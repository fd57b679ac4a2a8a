// SPDX-License-Identifier: Apache-2.0
// bpr: matrix factorisation that ranks what a user has liked above what they have not.
//
// Maximises the sum over users u, items i they liked and items j they did not of
// log sigmoid(s_ui - s_uj) with s_ui = b_i + u.v_i, by stochastic gradients with one j drawn evenly
// for each i. Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR: Bayesian personalized ranking
// from implicit feedback", UAI 2009, algorithm 1. We deviate in that a pass takes every pair once
// in a new order (theirs draws pairs with replacement), the rate falls to zero in a straight line,
// and a user is folded in from the history at score time, by the same steps with the items held
// still: users never trained on are equal to the others, and user factors are not kept. One thread:
// the order of the steps is part of the result.
#include "core/dot.hpp"
#include "train/cold_start.hpp"
#include "train/dense.hpp"
#include "train/model_entry.hpp"
#include "train/sparse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

struct BprOptions {
    std::int64_t factors = 64;
    std::int64_t epochs = 100;
    double learning_rate = 0.1;
    double regularization = 0.005;
    std::int64_t fold_in_passes = 60;

    static void describe(OptionBinder& bind, BprOptions& o) {
        bind("factors", o.factors, "length of the vectors", {.min = 1, .max = 2048});
        bind("epochs", o.epochs, "passes over all pairs", {.min = 1, .max = 10'000});
        bind(
            "learning_rate",
            o.learning_rate,
            "of the first step; it falls to zero in a straight line",
            {.min = 1e-6, .max = 10}
        );
        bind(
            "regularization",
            o.regularization,
            "lambda of vectors and biases",
            {.min = 0, .max = 10}
        );
        bind(
            "fold_in_passes",
            o.fold_in_passes,
            "over a history, when a user is asked for",
            {.min = 1, .max = 10'000}
        );
    }
};

/// Steps of the gradient on rows: of a user, the vector; of an item, the vector and its bias.
struct Steps {
    float rate = 0;
    float shrink = 0;  // regularization

    /// One pair: `liked` above `other`. Items that are const stay as they are.
    template <typename ItemRow>
    void take(std::span<float> user, ItemRow liked, ItemRow other) const {
        const auto n = user.size();
        const float margin = liked[n] + dot(user, liked) - other[n] - dot(user, other);
        const float pull = 1.0F / (1.0F + std::exp(margin));
        for (std::size_t f = 0; f < n; ++f) {
            const float u = user[f];
            user[f] += rate * (pull * (liked[f] - other[f]) - shrink * u);
            if constexpr (!std::is_const_v<typename ItemRow::element_type>) {
                liked[f] += rate * (pull * u - shrink * liked[f]);
                other[f] -= rate * (pull * u + shrink * other[f]);
            }
        }
        if constexpr (!std::is_const_v<typename ItemRow::element_type>) {
            liked[n] += rate * (pull - shrink * liked[n]);
            other[n] -= rate * (pull + shrink * other[n]);
        }
    }
};

Steps steps_at(const BprOptions& options, double share_done) {
    return {
        .rate = static_cast<float>(options.learning_rate * (1 - share_done)),
        .shrink = static_cast<float>(options.regularization),
    };
}

/// An item the user has not liked, evenly; nothing when none is found in a few tries.
std::optional<std::size_t> draw_other(
    std::span<const std::uint32_t> liked, std::size_t n_items, Rng& rng
) {
    constexpr int tries = 20;
    for (int i = 0; i < tries; ++i) {
        const auto item = rng.below(n_items);
        if (!std::ranges::binary_search(liked, static_cast<std::uint32_t>(item))) {
            return item;
        }
    }
    return std::nullopt;
}

class Bpr final : public Recommender {
  public:
    /// `items`: [n_items, factors + 1], the bias last.
    Bpr(Matrix<float> items, std::vector<float> whisper, const BprOptions& options)
        : items_(std::move(items)),
          whisper_(std::move(whisper)),
          options_(options),
          served_(items_) {
        for (std::size_t item = 0; item < whisper_.size(); ++item) {
            served_.row(item).back() += whisper_[item];
        }
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        Matrix<float> users(histories.size(), items_.cols());
        user_vectors(histories, users.view());
        multiply_transposed(users.view(), served_.view(), out);
    }

    [[nodiscard]] std::size_t n_items() const override { return whisper_.size(); }

    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return served_.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            fold_in(positive_items(histories[row]).items, out.row(row));
        }
    }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("items", items_.view());
        weights.add<float>("popularity", whisper_);
    }

  private:
    /// The same draws for everyone, so a user's vector depends on their history alone.
    void fold_in(std::span<const std::uint32_t> liked, std::span<float> out) const {
        std::ranges::fill(out, 0.0F);
        out.back() = 1.0F;
        const auto user = out.first(items_.cols() - 1);
        Rng rng{0x627072};
        std::vector<std::uint32_t> order(liked.begin(), liked.end());
        for (std::int64_t pass = 0; pass < options_.fold_in_passes; ++pass) {
            const auto steps = steps_at(
                options_, static_cast<double>(pass) / static_cast<double>(options_.fold_in_passes)
            );
            rng.shuffle(std::span{order});
            for (const auto item : order) {
                if (const auto other = draw_other(liked, n_items(), rng)) {
                    steps.take(user, items_.row(item), items_.row(*other));
                }
            }
        }
    }

    Matrix<float> items_;  // [n_items, factors + 1], as learned: what users are folded in with
    std::vector<float> whisper_;  // [n_items]
    BprOptions options_;
    Matrix<float> served_;  // items_ with the whisper in the bias
};

/// A user and an item they liked.
struct Pair {
    std::uint32_t user = 0;
    std::uint32_t item = 0;
};

std::vector<Pair> pairs_of(const Csr& users) {
    std::vector<Pair> pairs;
    pairs.reserve(users.indices.size());
    for (std::size_t user = 0; user < users.n_rows(); ++user) {
        for (const auto item : users.row(user)) {
            pairs.push_back({static_cast<std::uint32_t>(user), item});
        }
    }
    return pairs;
}

Matrix<float> small_normal(std::size_t rows, std::size_t cols, std::size_t factors, Rng rng) {
    Matrix<float> made(rows, cols);
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t f = 0; f < factors; ++f) {
            made.row(row)[f] =
                static_cast<float>(0.1 / std::sqrt(static_cast<double>(factors)) * rng.normal());
        }
    }
    return made;
}

std::unique_ptr<Recommender> fit_bpr(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<BprOptions>();
    const auto users = positive_pairs(context.log);
    const auto factors = static_cast<std::size_t>(options.factors);
    constexpr double item_copies = 2;  // learned, served
    check_memory({
        .what = fmt::format(
            "bpr: {} users and {} items in {} numbers", users.n_rows(), users.n_cols, factors
        ),
        .bytes = (static_cast<double>(users.n_rows()) +
                  item_copies * static_cast<double>(users.n_cols)) *
                 static_cast<double>(factors + 1) * sizeof(float),
        .limit_bytes = context.memory_limit,
        .hint = "fewer numbers, --set factors=64, or a part of the users",
    });
    const auto rng = context.rng.split("bpr");
    auto user_rows = small_normal(users.n_rows(), factors, factors, rng.split("users"));
    auto item_rows = small_normal(users.n_cols, factors + 1, factors, rng.split("items"));
    auto draws = rng.split("draws");
    auto pairs = pairs_of(users);
    Progress bar{context.progress, "bpr", static_cast<std::size_t>(options.epochs), "epochs"};
    for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
        if (context.stop.stop_requested()) {
            throw Error{
                ErrorCode::interrupted, "stopped; bpr keeps no checkpoint", "run the command again"
            };
        }
        const auto steps =
            steps_at(options, static_cast<double>(epoch) / static_cast<double>(options.epochs));
        draws.shuffle(std::span{pairs});
        for (const auto [user, item] : pairs) {
            if (const auto other = draw_other(users.row(user), users.n_cols, draws)) {
                steps.take(user_rows.row(user), item_rows.row(item), item_rows.row(*other));
            }
        }
        bar.advance();
    }
    if (!std::ranges::all_of(item_rows.values(), [](float v) { return std::isfinite(v); })) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("bpr: learning diverged with learning_rate = {}", options.learning_rate),
            "lower it, or raise regularization",
        };
    }
    return std::make_unique<Bpr>(std::move(item_rows), popularity_whisper(context.log), options);
}

std::unique_ptr<Recommender> load_bpr(const SafetensorsFile& weights, const Settings& settings) {
    const auto items = value_or_throw(weights.matrix<float>("items"));
    const auto whisper = value_or_throw(weights.values<float>("popularity"));
    const auto options = settings.read<BprOptions>();
    if (items.rows() != whisper.size() || std::cmp_not_equal(items.cols(), options.factors + 1)) {
        throw Error{ErrorCode::corrupt, "bpr: items do not fit popularity and the option factors"};
    }
    Matrix<float> copy(items.rows(), items.cols());
    for (std::size_t row = 0; row < items.rows(); ++row) {
        std::ranges::copy(items.row(row), copy.row(row).begin());
    }
    return std::make_unique<Bpr>(
        std::move(copy), std::vector<float>{whisper.begin(), whisper.end()}, options
    );
}

}  // namespace

extern const ModelEntry bpr{
    .name = "bpr",
    .summary =
        "matrix factorisation learned from pairs: liked above not liked; new users are folded in",
    .facts = Fact::none,
    .options = &describe_options<BprOptions>,
    .fit = &fit_bpr,
    .load = &load_bpr,
};

}  // namespace hg::train
