// SPDX-License-Identifier: Apache-2.0
// linear_dae: the best linear answer to k random clicks, in closed form, for k = 1, 2, 5, 10, 20.
//
// For each k a ridge regression with a free constant from a random choice x of k of a user's n items
// to his other items, over all choices at once:
//
//   B = (E[x'x] - m E[x]'E[x] + lambda I)^-1 (E[x'y] - m E[x]'E[y]),  b = E[y] - E[x] B,  score = b + x B
//   E[x_i x_j] = k (k - 1) / (n (n - 1)),  E[x_i] = k / n,  E[x_i y_j] = k / n,  E[y_j] = (n - 1) / n
//
// summed over the m users with n > k who have the items; y = (n - 1) / (n - k) times the others, so
// that users count alike however many of their items are left. ease answers the whole history and
// overrates what one click says; here the size of the answer is fitted to the number of clicks.
// The nearest k by logarithm serves a history; none at all gets the share of users who have an item.
//
// Source: the marginalised denoising autoencoder in closed form (Chen et al. 2012, "Marginalized
// denoising autoencoders for domain adaptation") with dropout of all but k items instead of a share,
// a constant, and no weight from an item to itself; Steck 2020, "Autoencoders that don't overfit
// towards the identity", has the same for a share.
#include "core/rng.hpp"
#include "encode/tensor_io.hpp"
#include "train/cooccurrence_tensor.hpp"
#include "train/holdout.hpp"
#include "train/kept_items.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"
#include "train/sparse.hpp"

#include <torch/types.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

constexpr std::array<std::size_t, 9> all_knots{1, 2, 5, 10, 20, 50, 100, 200, 500};
constexpr std::array penalties{0.1, 0.3, 1.0};
constexpr std::size_t list_length = 10;

struct LinearDaeOptions {
    double penalty = 0;
    std::int64_t most_clicks = 20;
    std::int64_t max_items = 5000;
    std::int64_t max_held_out = 500;

    static void describe(OptionBinder& bind, LinearDaeOptions& o) {
        bind(
            "penalty",
            o.penalty,
            "lambda / k; 0 = the best of 0.1, 0.3 and 1 for users held out",
            {.min = 0, .max = 1e6}
        );
        bind(
            "most_clicks",
            o.most_clicks,
            "one matrix for each of 1, 2, 5, 10, 20, 50, ... up to this",
            {.min = 1, .max = 500}
        );
        bind(
            "max_items",
            o.max_items,
            "only the most popular take part; needs 4 max_items^2 bytes a matrix",
            {.min = 1, .max = 20000}
        );
        bind(
            "max_held_out",
            o.max_held_out,
            "at most so many users, a tenth of all, choose the penalty",
            {.min = 1, .max = 100000}
        );
    }
};

/// The answer to about k clicks.
struct Answer {
    std::size_t clicks = 0;        // k
    Matrix<float> weights;         // B [n_kept, n_kept], row = item of the history
    std::vector<float> constants;  // b [n_kept]
};

class LinearDae final : public Recommender {
  public:
    /// shares: [n_items] of the users who have the item.
    LinearDae(std::vector<Answer> answers, KeptItems kept, std::vector<float> shares)
        : answers_(std::move(answers)), kept_(std::move(kept)), shares_(std::move(shares)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto scores = out.row(row);
            std::ranges::copy(shares_, scores.begin());
            const auto n_clicks = positive_items(histories[row]).items.size();
            if (n_clicks == 0 || answers_.empty()) {
                continue;
            }
            const auto& answer = nearest(n_clicks);
            for (std::size_t i = 0; i < kept_.size(); ++i) {
                scores[kept_.items()[i]] = answer.constants[i];
            }
            kept_.add_rows(histories[row], answer.weights.view(), scores);
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return shares_.size(); }

    void save(SafetensorsWriter& weights) const override {
        std::vector<std::int64_t> clicks;
        for (const auto& answer : answers_) {
            clicks.push_back(static_cast<std::int64_t>(answer.clicks));
            weights.add<float>(fmt::format("weights.{}", answer.clicks), answer.weights.view());
            weights.add<float>(fmt::format("constants.{}", answer.clicks), answer.constants);
        }
        weights.add<std::int64_t>("clicks", clicks);
        weights.add<std::uint32_t>("items", kept_.items());
        weights.add<float>("shares", shares_);
    }

  private:
    [[nodiscard]] const Answer& nearest(std::size_t n_clicks) const {
        return *std::ranges::min_element(answers_, {}, [&](const Answer& answer) {
            return std::abs(
                std::log(static_cast<double>(answer.clicks) / static_cast<double>(n_clicks))
            );
        });
    }

    std::vector<Answer> answers_;  // by clicks, ascending
    KeptItems kept_;
    std::vector<float> shares_;
};

/// What the users with more than k items say, centred; float32 [n, n] and [n].
struct Moments {
    at::Tensor inputs;        // E[x'x] - m E[x]'E[x]
    at::Tensor outputs;       // E[x'y] - m E[x]'E[y]
    at::Tensor mean_inputs;   // E[x]
    at::Tensor mean_outputs;  // E[y]
};

/// Column sums of the users' weights over the kept items: [n] float32.
at::Tensor weighted_counts(
    const Csr& users, const KeptItems& kept, std::span<const float> user_weights
) {
    std::vector<double> sums(kept.size());
    for (std::size_t user = 0; user < users.n_rows(); ++user) {
        for (const auto item : users.row(user)) {
            if (const auto place = kept.place(item)) {
                sums[*place] += user_weights[user];
            }
        }
    }
    return torch::tensor(sums, torch::kFloat32);
}

/// Nothing where no user has more than k items.
std::optional<Moments> moments_of(const Csr& users, const KeptItems& kept, std::size_t k) {
    const auto n_users = users.n_rows();
    std::vector<float> pair(n_users);    // E[x_i x_j] of this user
    std::vector<float> single(n_users);  // E[x_i], E[x_i y_j]
    std::vector<float> other(n_users);   // E[y_j]
    double m = 0;
    for (std::size_t user = 0; user < n_users; ++user) {
        const auto n = static_cast<double>(users.row(user).size());
        const auto clicks = static_cast<double>(k);
        if (n <= clicks) {
            continue;
        }
        m += 1;
        pair[user] = static_cast<float>(clicks * (clicks - 1) / (n * (n - 1)));
        single[user] = static_cast<float>(clicks / n);
        other[user] = static_cast<float>((n - 1) / n);
    }
    if (m == 0) {
        return std::nullopt;
    }
    const auto n = static_cast<std::int64_t>(kept.size());
    const auto counts = weighted_counts(users, kept, single);
    Moments moments{
        .inputs = torch::zeros({n, n}),
        .outputs = torch::zeros({n, n}),
        .mean_inputs = counts / m,
        .mean_outputs = weighted_counts(users, kept, other) / m,
    };
    if (k > 1) {
        add_cooccurrences(users, kept, pair, moments.inputs);
    }
    add_cooccurrences(users, kept, single, moments.outputs);
    moments.inputs.diagonal().add_(counts);
    moments.inputs.addr_(moments.mean_inputs, moments.mean_inputs, 1, -m);
    moments.outputs.addr_(moments.mean_inputs, moments.mean_outputs, 1, -m);
    return moments;
}

/// Of E[x'x] + lambda I: lower Cholesky.
at::Tensor factor_of(const Moments& moments, double lambda) {
    auto penalised = moments.inputs.clone();
    penalised.diagonal().add_(lambda);
    auto [factor, failed_at] = at::linalg_cholesky_ex(penalised, /*upper=*/false);
    if (failed_at.item<int>() != 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("linear_dae: no answer in float32 with lambda = {:g}", lambda),
            "raise it: --set penalty=0.1, or 0 to have it chosen"
        };
    }
    return factor;
}

Answer solve(const Moments& moments, std::size_t k, double penalty) {
    const auto factor = factor_of(moments, penalty * static_cast<double>(k));
    const auto weights = at::cholesky_solve(moments.outputs, factor);
    const auto constants = moments.mean_outputs - moments.mean_inputs.matmul(weights);
    const auto n = static_cast<std::size_t>(weights.size(0));
    Answer answer{.clicks = k, .weights = Matrix<float>(n, n), .constants = std::vector<float>(n)};
    encode::to_matrix(weights, answer.weights.view());
    encode::to_matrix(constants.unsqueeze(0), MatrixView<float>{answer.constants.data(), 1, n});
    return answer;
}

/// k random clicks of each held-out user against up to ten of his others.
std::vector<Query> queries_of(const Csr& users, std::size_t k, Rng rng) {
    std::vector<Query> queries;
    for (std::size_t user = 0; user < users.n_rows(); ++user) {
        const auto row = users.row(user);
        if (row.size() <= k) {
            continue;
        }
        std::vector<std::uint32_t> order(row.begin(), row.end());
        rng.shuffle(std::span{order});
        Query query;
        for (std::size_t i = 0; i < std::min(order.size(), k + list_length); ++i) {
            (i < k ? query.context : query.targets).push_back(ItemId{order[i]});
        }
        queries.push_back(std::move(query));
    }
    return queries;
}

/// NDCG@10 of the kept items' scores, without ever forming B:
/// scores = E[y] + (x - E[x]) (E[x'x] + lambda I)^-1 E[x'y].
double judge(
    const Moments& moments, const KeptItems& kept, std::span<const Query> queries, double lambda
) {
    const auto factor = factor_of(moments, lambda);
    const auto n = static_cast<std::int64_t>(kept.size());
    return mean_ndcg(queries, kept.size(), [&](std::span<const Query> part, MatrixView<float> out) {
        const auto inputs = torch::zeros({static_cast<std::int64_t>(part.size()), n});
        for (std::size_t row = 0; row < part.size(); ++row) {
            for (const auto item : part[row].context) {
                inputs.data_ptr<float>()[row * kept.size() + item.index()] = 1;
            }
        }
        const auto solved = at::cholesky_solve((inputs - moments.mean_inputs).t(), factor);
        encode::to_matrix(moments.mean_outputs + solved.t().matmul(moments.outputs), out);
    });
}

/// Ids become places; what is not kept is left out.
void to_places(std::vector<ItemId>& items, const KeptItems& kept) {
    std::vector<ItemId> places;
    for (const auto item : items) {
        if (const auto place = kept.place(item.value)) {
            places.push_back(ItemId{static_cast<std::uint32_t>(*place)});
        }
    }
    items = std::move(places);
}

std::vector<std::size_t> knots_of(const LinearDaeOptions& options) {
    std::vector<std::size_t> knots;
    std::ranges::copy_if(all_knots, std::back_inserter(knots), [&](std::size_t k) {
        return std::cmp_less_equal(k, options.most_clicks);
    });
    return knots;
}

/// Rows of `users` whose flag is `wanted`; the others are empty.
Csr only(const Csr& users, const std::vector<bool>& flags, bool wanted) {
    Csr part{.offsets = {0}, .indices = {}, .values = {}, .n_cols = users.n_cols};
    for (std::size_t user = 0; user < users.n_rows(); ++user) {
        if (flags[user] == wanted) {
            const auto items = users.row(user);
            const auto values = users.row_values(user);
            part.indices.insert(part.indices.end(), items.begin(), items.end());
            part.values.insert(part.values.end(), values.begin(), values.end());
        }
        part.offsets.push_back(static_cast<std::int64_t>(part.indices.size()));
    }
    return part;
}

void stop_if_asked(const FitContext& context) {
    if (context.stop.stop_requested()) {
        throw Error{
            ErrorCode::interrupted,
            "stopped; linear_dae keeps no checkpoint",
            "run the command again"
        };
    }
}

/// The penalty with the best mean over the numbers of clicks, for a tenth of the users held out.
double choose_penalty(
    const FitContext& context,
    const Csr& users,
    const KeptItems& kept,
    const LinearDaeOptions& options,
    Progress& bar
) {
    const auto n_held_out =
        std::min(users.n_rows() / 10, static_cast<std::size_t>(options.max_held_out));
    const auto flags = choose(users.n_rows(), n_held_out, context.rng.split("held out users"));
    const auto held_out = only(users, flags, true);
    const auto rest = only(users, flags, false);
    std::map<double, double> sums;
    for (const auto k : knots_of(options)) {
        stop_if_asked(context);
        auto queries = queries_of(held_out, k, context.rng.split("clicks"));
        for (auto& query : queries) {
            to_places(query.context, kept);
            to_places(query.targets, kept);
        }
        if (const auto moments = moments_of(rest, kept, k); moments && !queries.empty()) {
            for (const auto penalty : penalties) {
                sums[penalty] += judge(*moments, kept, queries, penalty * static_cast<double>(k));
            }
        }
        bar.advance();
    }
    constexpr double without_users = 0.3;
    const auto best = std::ranges::max_element(sums, {}, &std::pair<const double, double>::second);
    return best == sums.end() ? without_users : best->first;
}

std::unique_ptr<Recommender> fit_linear_dae(const FitContext& context, const Settings& settings) {
    const torch::InferenceMode no_gradients;
    const auto options = settings.read<LinearDaeOptions>();
    const auto users = positive_pairs(context.log);
    auto shares = column_counts(users);
    KeptItems kept{most_popular(shares, options.max_items), users.n_cols};
    for (auto& share : shares) {
        share /= static_cast<float>(std::max<std::size_t>(1, users.n_rows()));
    }
    const auto knots = knots_of(options);
    constexpr double at_work = 5;  // matrices, beside one for each number of clicks
    check_memory({
        .what = fmt::format("linear_dae: {} matrices of {} items", knots.size(), kept.size()),
        .bytes = (static_cast<double>(knots.size()) + at_work) * static_cast<double>(kept.size()) *
                 static_cast<double>(kept.size()) * sizeof(float),
        .limit_bytes = context.memory_limit,
        .hint = "fewer items, --set max_items=2000, or fewer clicks, --set most_clicks=10",
    });
    const bool is_chosen = options.penalty == 0;
    Progress bar{context.progress, "linear_dae", (is_chosen ? 2 : 1) * knots.size(), "matrices"};
    const double penalty =
        is_chosen ? choose_penalty(context, users, kept, options, bar) : options.penalty;
    std::vector<Answer> answers;
    for (const auto k : knots) {
        stop_if_asked(context);
        if (const auto moments = moments_of(users, kept, k)) {
            answers.push_back(solve(*moments, k, penalty));
        }
        bar.advance();
    }
    if (context.run != nullptr) {
        context.run->note("penalty", penalty);
    }
    return std::make_unique<LinearDae>(std::move(answers), std::move(kept), std::move(shares));
}

std::unique_ptr<Recommender>
load_linear_dae(const SafetensorsFile& file, const Settings& /*settings*/) {
    const auto clicks = value_or_throw(file.values<std::int64_t>("clicks"));
    const auto items = value_or_throw(file.values<std::uint32_t>("items"));
    const auto shares = value_or_throw(file.values<float>("shares"));
    bool fits = std::ranges::all_of(items, [&](auto item) { return item < shares.size(); }) &&
                std::ranges::all_of(clicks, [](auto k) { return k > 0; });
    std::vector<Answer> answers;
    for (const auto k : clicks) {
        const auto weights = value_or_throw(file.matrix<float>(fmt::format("weights.{}", k)));
        const auto constants = value_or_throw(file.values<float>(fmt::format("constants.{}", k)));
        fits = fits && weights.rows() == items.size() && weights.cols() == items.size() &&
               constants.size() == items.size();
        const std::span<const float> values{weights.data(), weights.rows() * weights.cols()};
        answers.push_back({
            .clicks = static_cast<std::size_t>(k),
            .weights = {weights.rows(), weights.cols(), {values.begin(), values.end()}},
            .constants = {constants.begin(), constants.end()},
        });
    }
    if (!fits) {
        throw Error{
            ErrorCode::corrupt, "linear_dae: weights, items and clicks do not fit together"
        };
    }
    return std::make_unique<LinearDae>(
        std::move(answers),
        KeptItems{{items.begin(), items.end()}, shares.size()},
        std::vector<float>{shares.begin(), shares.end()}
    );
}

}  // namespace

extern const ModelEntry linear_dae{
    .name = "linear_dae",
    .summary = "the best linear answer to 1, 2, 5, 10 or 20 clicks, in closed form",
    .facts = Fact::none,
    .options = &describe_options<LinearDaeOptions>,
    .fit = &fit_linear_dae,
    .load = &load_linear_dae,
};

}  // namespace hg::train
