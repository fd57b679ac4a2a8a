// SPDX-License-Identifier: Apache-2.0
#include "train/adam.hpp"
#include "train/holdout.hpp"
#include "train/models/bag_training_net.hpp"
#include "train/run.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace hg::train {
namespace {

using Items = std::vector<ItemId>;

/// Who is learned from, and the few-shot questions of those held out.
struct BagUsers {
    std::vector<Items> learned;
    std::vector<Query> queries;

    /// log of the share of users who took the item, smoothed by half a user: [n_items].
    [[nodiscard]] at::Tensor log_popularity(std::size_t n_items) const;
};

class BagTrainee final : public Trainee {
  public:
    BagTrainee(BagNet& net, const EpisodeOptions& options, std::int64_t batch_size, BagUsers users)
        : net_(net), options_(options), batch_size_(batch_size), users_(std::move(users)) {}

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        return named_of(net_);
    }

    [[nodiscard]] std::size_t n_examples() const override {
        const auto n = users_.learned.size();
        return n * passes_per_epoch(n, batch_size_);
    }

    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& rng) override {
        ItemBags contexts;
        std::vector<std::int64_t> rows;
        std::vector<std::int64_t> columns;
        std::vector<float> shares;
        float total = 0;
        for (std::size_t row = 0; row < batch.size(); ++row) {
            auto items = users_.learned[batch[row] % users_.learned.size()];
            if (options_.context == "random") {
                rng.shuffle(std::span{items});
            }
            const auto k = context_size(options_, items.size(), rng);
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
        const auto log_p = at::log_softmax(net_.training_logits(contexts, rng), 1);
        const auto flat =
            encode::index_tensor(rows) * log_p.size(1) + encode::index_tensor(columns);
        const auto weights = torch::tensor(at::ArrayRef<float>{shares}, at::kFloat);
        return -(log_p.flatten().index_select(0, flat) * weights).sum() /
               static_cast<double>(total);
    }

    [[nodiscard]] std::optional<double> validate() override {
        if (users_.queries.empty()) {
            return std::nullopt;
        }
        const at::NoGradGuard no_grad;
        return mean_ndcg(
            users_.queries,
            net_.n_items(),
            [this](std::span<const Query> queries, MatrixView<float> out) {
                ItemBags bags;
                for (const auto& query : queries) {
                    bags.add(query.context);
                }
                encode::to_matrix(net_.logits(net_.state(bags)), out);
            }
        );
    }

  private:
    BagNet& net_;
    const EpisodeOptions& options_;
    std::int64_t batch_size_;
    BagUsers users_;
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

at::Tensor BagUsers::log_popularity(std::size_t n_items) const {
    std::vector<float> counts(n_items, 0.5F);
    for (const auto& items : learned) {
        for (const auto item : items) {
            counts[item.index()] += 1;
        }
    }
    return (torch::tensor(at::ArrayRef<float>{counts}, at::kFloat) /
            static_cast<double>(learned.size()))
        .log();
}

BagUsers bag_users(
    const FitContext& context, const EpisodeOptions& options, std::string_view label
) {
    BagUsers users;
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
            add_queries(items, users.queries);
        } else if (!items.empty()) {
            users.learned.push_back(std::move(items));
        }
    }
    if (users.learned.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: no user of the log has a positive event", label),
            "look at the event weights in dataset.toml",
        };
    }
    return users;
}

}  // namespace

void fit_bag_net(
    BagNet& net, const EpisodeOptions& options, const TrainOptions& how, const FitContext& context
) {
    auto users = bag_users(context, options, how.label);
    torch::manual_seed(context.rng.split("weights")());
    net.initialise(users.log_popularity(net.n_items()));
    BagTrainee trainee{net, options, how.batch_size, std::move(users)};
    note_result(train(trainee, how, context), context);
}

}  // namespace hg::train
