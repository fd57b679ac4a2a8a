// SPDX-License-Identifier: Apache-2.0
#include "train/models/dae_model.hpp"

#include "encode/tensor_io.hpp"
#include "train/dropout.hpp"
#include "train/holdout.hpp"
#include "train/models/dae_net.hpp"
#include "train/quantised_rows.hpp"
#include "train/run.hpp"
#include "train/trainer.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <unordered_set>

namespace hg::train {
namespace {

using Items = std::vector<ItemId>;

/// The distinct positive items of a history, oldest first.
Items positives(const data::History& history) {
    Items items;
    std::unordered_set<ItemId> seen;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (history.weight(i) > 0 && seen.insert(history.items[i]).second) {
            items.push_back(history.items[i]);
        }
    }
    return items;
}

class Dae final : public Recommender {
  public:
    explicit Dae(std::shared_ptr<DaeNet> net) : net_(std::move(net)) {
        const at::NoGradGuard no_grad;
        const auto table =
            at::cat({net_->weights.decoder, net_->weights.decoder_bias.unsqueeze(1)}, 1);
        item_vectors_ = Matrix<float>(n_items(), static_cast<std::size_t>(table.size(1)));
        encode::to_matrix(table, item_vectors_.view());
        Matrix<float> units(item_vectors_.cols() - 1, n_items());
        encode::to_matrix(net_->weights.decoder.t(), units.view());
        units_ = QuantisedRows{std::as_const(units).view()};
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        if (histories.empty()) {
            return;
        }
        const at::NoGradGuard no_grad;
        if (histories.size() == 1) {
            return score_one(positives(histories.front()), out.row(0));
        }
        encode::to_matrix(net_->weights.logits(hidden(histories)), out);
    }

    [[nodiscard]] std::size_t n_items() const override {
        return static_cast<std::size_t>(net_->weights.decoder.size(0));
    }

    /// The decoder with its bias as the last column.
    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return item_vectors_.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        if (histories.empty()) {
            return;
        }
        const at::NoGradGuard no_grad;
        const auto state = hidden(histories);
        encode::to_matrix(at::cat({state, at::ones({state.size(0), 1})}, 1), out);
    }

    void save(SafetensorsWriter& weights) const override {
        for (const auto& parameter : net_->named_parameters()) {
            encode::add_tensor(weights, parameter.key(), parameter.value());
        }
    }

  private:
    /// The same for one user, as a server asks, which is a matter of reading the decoder: unit by unit
    /// in 16 bits, those at 0 not at all (of rectified ones a third to two thirds). Scores differ from the
    /// others by the rounding; no second thread is woken.
    void score_one(const Items& items, std::span<float> out) const {
        const auto& weights = net_->weights;
        const auto dim = static_cast<std::size_t>(weights.encoder.size(1));
        const auto* const encoder = weights.encoder.const_data_ptr<float>();
        const auto* const bias = weights.encoder_bias.const_data_ptr<float>();
        const auto weight = bag_weight(items.size());
        std::vector<float> state(bias, bias + dim);
        for (const auto item : items) {
            const auto* const row = encoder + item.index() * dim;
            for (std::size_t i = 0; i < dim; ++i) {
                state[i] += weight * row[i];
            }
        }
        for (auto& x : state) {
            x = weights.relu ? std::max(x, 0.0F) : std::tanh(x);
        }
        std::copy_n(weights.decoder_bias.const_data_ptr<float>(), out.size(), out.begin());
        units_.add_weighted(state, out);
    }

    [[nodiscard]] at::Tensor hidden(std::span<const data::History> histories) const {
        ItemBags bags;
        for (const auto& history : histories) {
            bags.add(positives(history));
        }
        return net_->weights.hidden(bags);
    }

    std::shared_ptr<DaeNet> net_;
    Matrix<float> item_vectors_;
    QuantisedRows units_;  // the decoder by unit, [dim, n_items]
};

class DaeTrainee final : public Trainee {
  public:
    DaeTrainee(
        DaeNet& net, const DaeOptions& options, std::vector<Items> users, std::vector<Query> queries
    )
        : net_(net), options_(options), users_(std::move(users)), queries_(std::move(queries)) {}

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        std::vector<std::pair<std::string, at::Tensor>> all;
        for (const auto& p : net_.named_parameters()) {
            all.emplace_back(p.key(), p.value());
        }
        return all;
    }

    [[nodiscard]] std::size_t n_examples() const override {
        return users_.size() * passes_per_epoch(users_.size(), options_.training.batch_size);
    }

    /// Mean over users of -mean over targets of log p(target | context): every user counts the
    /// same.
    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& rng) override {
        ItemBags contexts;
        std::vector<std::int64_t> rows;
        std::vector<std::int64_t> columns;
        std::vector<float> shares;
        float total = 0;
        for (std::size_t row = 0; row < batch.size(); ++row) {
            auto items = users_[batch[row] % users_.size()];
            if (options_.context == "random") {
                rng.shuffle(std::span{items});
            }
            const auto k = context_size(items.size(), rng);
            contexts.add(std::span{items}.first(k));
            for (std::size_t i = k; i < items.size(); ++i) {
                rows.push_back(static_cast<std::int64_t>(row));
                columns.push_back(static_cast<std::int64_t>(items[i].value));
            }
            const auto n_targets = static_cast<float>(items.size() - k);
            const auto weight = std::pow(n_targets, static_cast<float>(options_.user_weight));
            shares.insert(shares.end(), items.size() - k, weight / n_targets);
            total += weight;
        }
        const auto log_p = at::log_softmax(training_logits(contexts, rng), 1);  // [batch, n_items]
        const auto flat =
            encode::index_tensor(rows) * log_p.size(1) + encode::index_tensor(columns);
        const auto weights = torch::tensor(at::ArrayRef<float>{shares}, at::kFloat);
        return -(log_p.flatten().index_select(0, flat) * weights).sum() /
               static_cast<double>(total);
    }

    [[nodiscard]] std::optional<double> validate() override {
        if (queries_.empty()) {
            return std::nullopt;
        }
        const at::NoGradGuard no_grad;
        const auto n_items = static_cast<std::size_t>(net_.weights.decoder.size(0));
        return mean_ndcg(
            queries_,
            n_items,
            [this](std::span<const Query> queries, MatrixView<float> out) {
                ItemBags bags;
                for (const auto& query : queries) {
                    bags.add(query.context);
                }
                encode::to_matrix(net_.weights.logits(net_.weights.hidden(bags)), out);
            }
        );
    }

  private:
    /// Logits under dropout. Units dropped per step cost nothing in that step.
    [[nodiscard]] at::Tensor training_logits(const ItemBags& contexts, Rng& rng) const {
        if (options_.dropout_per == "example" || options_.dropout <= 0) {
            const auto hidden = net_.weights.hidden(contexts);
            return net_.weights.logits(Dropout{options_.dropout, rng}(hidden));
        }
        std::vector<std::int64_t> units(static_cast<std::size_t>(options_.dim));
        std::iota(units.begin(), units.end(), 0);
        rng.shuffle(std::span{units});
        const auto kept = std::llround(static_cast<double>(options_.dim) * (1 - options_.dropout));
        units.resize(static_cast<std::size_t>(std::max<std::int64_t>(1, kept)));
        std::ranges::sort(units);
        const auto net = net_.weights.some_units(encode::index_tensor(units));
        const auto scale = static_cast<double>(options_.dim) / static_cast<double>(units.size());
        return net.logits(net.hidden(contexts) * scale);
    }

    /// At least one target is left; the log keeps users with at least one item.
    [[nodiscard]] std::size_t context_size(std::size_t n, Rng& rng) const {
        const auto most = rng.uniform() < options_.long_share
                              ? n - 1
                              : static_cast<std::size_t>(options_.max_context);
        return rng.below(std::min(most, n - 1) + 1);
    }

    DaeNet& net_;
    const DaeOptions& options_;
    std::vector<Items> users_;
    std::vector<Query> queries_;
};

/// The few-shot question of a new user: after 0, 1, 2, 5, 10 events, what are the next ten?
void add_queries(const Items& items, std::vector<Query>& queries) {
    constexpr std::array<std::size_t, 5> context_sizes{0, 1, 2, 5, 10};
    constexpr std::size_t n_targets = 10;
    for (const auto k : context_sizes) {
        if (items.size() <= k) {
            break;
        }
        const auto rest = std::span{items}.subspan(k);
        const auto targets = rest.first(std::min(n_targets, rest.size()));
        queries.push_back(
            {{items.begin(), items.begin() + static_cast<std::ptrdiff_t>(k)},
             {targets.begin(), targets.end()}}
        );
    }
}

/// log of the share of users who took the item, smoothed by half a user.
at::Tensor log_popularity(const std::vector<Items>& users, std::size_t n_items) {
    std::vector<float> counts(n_items, 0.5F);
    for (const auto& items : users) {
        for (const auto item : items) {
            counts[item.index()] += 1;
        }
    }
    return (torch::tensor(at::ArrayRef<float>{counts}, at::kFloat) /
            static_cast<double>(users.size()))
        .log();
}

}  // namespace

std::unique_ptr<Recommender> fit_dae(
    const FitContext& context, const DaeOptions& options, std::string_view label
) {
    std::vector<Items> users;
    std::vector<Query> queries;
    const auto n_users = context.log.n_users();
    constexpr std::size_t most_held_out = 1000;
    const auto n_held_out = std::min(
        most_held_out,
        static_cast<std::size_t>(options.validation_share * static_cast<double>(n_users))
    );
    const auto held_out = choose(n_users, n_held_out, context.rng.split("validation users"));
    for (std::uint32_t u = 0; u < n_users; ++u) {
        auto items = positives(context.log.history(UserId{u}));
        if (held_out[u]) {
            add_queries(items, queries);
        } else if (!items.empty()) {
            users.push_back(std::move(items));
        }
    }
    if (users.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: no user of the log has a positive event", label),
            "look at the event weights in dataset.toml",
        };
    }
    const auto net = std::make_shared<DaeNet>(
        static_cast<std::int64_t>(context.log.n_items()), options.dim, options.activation == "relu"
    );
    torch::manual_seed(context.rng.split("weights")());
    net->initialise(log_popularity(users, context.log.n_items()));
    DaeTrainee trainee{*net, options, std::move(users), std::move(queries)};
    auto how = options.training.of(
        label, fmt::format("{} {}", options_json(options).dump(), context.log.size())
    );
    how.final_rate_share = options.schedule == "cosine" ? 0.0 : 1.0;
    note_result(train(trainee, how, context), context);
    return std::make_unique<Dae>(net);
}

std::unique_ptr<Recommender> load_dae(const SafetensorsFile& weights, const DaeOptions& options) {
    const auto encoder = value_or_throw(weights.tensor("encoder"));
    const auto n_items = encoder.shape.empty() ? 0 : encoder.shape.front();
    const auto net = std::make_shared<DaeNet>(
        static_cast<std::int64_t>(n_items), options.dim, options.activation == "relu"
    );
    for (auto& parameter : net->named_parameters()) {
        encode::copy_tensor(weights, parameter.key(), parameter.value());
    }
    return std::make_unique<Dae>(net);
}

}  // namespace hg::train
