// SPDX-License-Identifier: Apache-2.0
// dae: a denoising autoencoder over the first clicks: from the first k events of a user, k ~
// U{0..10}, to a softmax over the user's other items. One pass of weights serves every k, k = 0
// being learned popularity.
//
// After Wu et al., "Collaborative Denoising Auto-Encoders" (2016) and the multinomial likelihood of
// Liang et al., "Variational Autoencoders for Collaborative Filtering" (2018). Deviations: the
// corruption is not random dropout but the prefix a new user would have shown, so training sees
// what serving sees; a share of the examples (`long_share`) takes a longer prefix, so that old
// users are served well too; no user node.
#include "core/dot.hpp"
#include "train/dropout.hpp"
#include "train/holdout.hpp"
#include "train/model_entry.hpp"
#include "train/models/dae_net.hpp"
#include "train/run.hpp"
#include "train/tensor_io.hpp"
#include "train/trainer.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

namespace hg::train {
namespace {

struct DaeOptions {
    std::int64_t dim = 256;
    std::int64_t epochs = 150;
    std::int64_t batch_size = 128;
    std::int64_t patience = 10;
    double learning_rate = 1e-3;
    double weight_decay = 0;
    double dropout = 0.2;
    std::int64_t max_context = 10;
    double long_share = 0.2;
    std::string context = "random";
    std::string activation = "tanh";
    double user_weight = 0.5;
    double validation_share = 0.1;

    static void describe(OptionBinder& bind, DaeOptions& o) {
        bind("dim", o.dim, "width of the hidden layer", {.min = 1, .max = 65536});
        bind("epochs", o.epochs, "passes over the users, at most", {.min = 1, .max = 1e6});
        bind("batch_size", o.batch_size, "users per step", {.min = 1, .max = 1e6});
        bind(
            "patience",
            o.patience,
            "epochs without a better validation before stopping; 0 = never",
            {.min = 0}
        );
        bind("learning_rate", o.learning_rate, "step size of AdamW", {.min = 1e-8, .max = 10});
        bind(
            "weight_decay",
            o.weight_decay,
            "decoupled decay of the weight matrices",
            {.min = 0, .max = 10}
        );
        bind(
            "dropout",
            o.dropout,
            "share of hidden units dropped in training",
            {.min = 0, .max = 0.95}
        );
        bind(
            "max_context",
            o.max_context,
            "contexts have 0 to this many events",
            {.min = 0, .max = 1e6}
        );
        bind(
            "long_share",
            o.long_share,
            "share of examples with a context of any length",
            {.min = 0, .max = 1}
        );
        bind(
            "context",
            o.context,
            "which events of a user are the context",
            {.choices = {"first", "random"}}
        );
        bind("activation", o.activation, "of the hidden layer", {.choices = {"tanh", "relu"}});
        bind(
            "user_weight",
            o.user_weight,
            "weight of a user with n targets is n to this power; 0 = all users the same, 1 = all "
            "targets",
            {.min = 0, .max = 1}
        );
        bind(
            "validation_share",
            o.validation_share,
            "share of users held out for early stopping; 0 = train all epochs on everybody",
            {.min = 0, .max = 0.5}
        );
    }
};

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
        const auto table = at::cat({net_->decoder, net_->decoder_bias.unsqueeze(1)}, 1);
        item_vectors_ = Matrix<float>(n_items(), static_cast<std::size_t>(table.size(1)));
        to_matrix(table, item_vectors_.view());
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        if (histories.empty()) {
            return;
        }
        const at::NoGradGuard no_grad;
        if (histories.size() == 1) {
            return score_one(positives(histories.front()), out.row(0));
        }
        to_matrix(net_->logits(hidden(histories)), out);
    }

    [[nodiscard]] std::size_t n_items() const override {
        return static_cast<std::size_t>(net_->decoder.size(0));
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
        to_matrix(at::cat({state, at::ones({state.size(0), 1})}, 1), out);
    }

    void save(SafetensorsWriter& weights) const override {
        for (const auto& parameter : net_->named_parameters()) {
            add_tensor(weights, parameter.key(), parameter.value());
        }
    }

  private:
    /// The same for one user, as a server asks: half the time of a matrix product with one row, and
    /// no second thread is woken for it.
    void score_one(const Items& items, std::span<float> out) const {
        const auto dim = static_cast<std::size_t>(net_->encoder.size(1));
        const auto* const encoder = net_->encoder.const_data_ptr<float>();
        const auto* const bias = net_->encoder_bias.const_data_ptr<float>();
        const auto weight = bag_weight(items.size());
        std::vector<float> state(bias, bias + dim);
        for (const auto item : items) {
            const auto* const row = encoder + item.index() * dim;
            for (std::size_t i = 0; i < dim; ++i) {
                state[i] += weight * row[i];
            }
        }
        for (auto& x : state) {
            x = net_->relu ? std::max(x, 0.0F) : std::tanh(x);
        }
        state.push_back(1);  // times the decoder's bias
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = dot(item_vectors_.row(i), state);
        }
    }

    [[nodiscard]] at::Tensor hidden(std::span<const data::History> histories) const {
        ItemBags bags;
        for (const auto& history : histories) {
            bags.add(positives(history));
        }
        return net_->hidden(bags);
    }

    std::shared_ptr<DaeNet> net_;
    Matrix<float> item_vectors_;
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
        return users_.size() * passes_per_epoch(users_.size(), options_.batch_size);
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
        const auto hidden = Dropout{options_.dropout, rng}(net_.hidden(contexts));
        const auto log_p = at::log_softmax(net_.logits(hidden), 1);  // [batch, n_items]
        const auto flat =
            torch::tensor(at::ArrayRef<std::int64_t>{rows}, at::kLong) * log_p.size(1) +
            torch::tensor(at::ArrayRef<std::int64_t>{columns}, at::kLong);
        const auto weights = torch::tensor(at::ArrayRef<float>{shares}, at::kFloat);
        return -(log_p.flatten().index_select(0, flat) * weights).sum() /
               static_cast<double>(total);
    }

    [[nodiscard]] std::optional<double> validate() override {
        if (queries_.empty()) {
            return std::nullopt;
        }
        const at::NoGradGuard no_grad;
        const auto n_items = static_cast<std::size_t>(net_.decoder.size(0));
        return mean_ndcg(
            queries_,
            n_items,
            [this](std::span<const Query> queries, MatrixView<float> out) {
                ItemBags bags;
                for (const auto& query : queries) {
                    bags.add(query.context);
                }
                to_matrix(net_.logits(net_.hidden(bags)), out);
            }
        );
    }

  private:
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

std::unique_ptr<Recommender> fit(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<DaeOptions>();
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
            "dae: no user of the log has a positive event",
            "look at the event weights in dataset.toml",
        };
    }
    const auto net = std::make_shared<DaeNet>(
        static_cast<std::int64_t>(context.log.n_items()), options.dim, options.activation == "relu"
    );
    torch::manual_seed(context.rng.split("weights")());
    net->initialise(log_popularity(users, context.log.n_items()));
    DaeTrainee trainee{*net, options, std::move(users), std::move(queries)};
    const auto result = train(
        trainee,
        {
            .label = "dae",
            .epochs = options.epochs,
            .batch_size = options.batch_size,
            .patience = options.patience,
            .learning_rate = options.learning_rate,
            .weight_decay = options.weight_decay,
            .fingerprint = fmt::format("{} {}", options_json(options).dump(), context.log.size()),
        },
        context
    );
    note_result(result, context);
    return std::make_unique<Dae>(net);
}

std::unique_ptr<Recommender> load(const SafetensorsFile& weights, const Settings& settings) {
    const auto options = settings.read<DaeOptions>();
    const auto encoder = value_or_throw(weights.tensor("encoder"));
    const auto n_items = encoder.shape.empty() ? 0 : encoder.shape.front();
    const auto net = std::make_shared<DaeNet>(
        static_cast<std::int64_t>(n_items), options.dim, options.activation == "relu"
    );
    for (auto& parameter : net->named_parameters()) {
        copy_tensor(weights, parameter.key(), parameter.value());
    }
    return std::make_unique<Dae>(net);
}

}  // namespace

extern const ModelEntry dae{
    .name = "dae",
    .summary = "denoising autoencoder trained on the first few events of each user",
    .facts = Fact::uses_gradient,
    .options = &describe_options<DaeOptions>,
    .fit = &fit,
    .load = &load,
};

}  // namespace hg::train
