// SPDX-License-Identifier: Apache-2.0
#include "train/models/dae_model.hpp"

#include "encode/tensor_io.hpp"
#include "train/models/bag_training_net.hpp"
#include "train/models/dae_net.hpp"
#include "train/quantised_rows.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace hg::train {
namespace {

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
    void score_one(const std::vector<ItemId>& items, std::span<float> out) const {
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

}  // namespace

void DaeOptions::describe(OptionBinder& bind, DaeOptions& o) {
    bind("dim", o.dim, "width of the hidden layer", {.min = 1, .max = 65536});
    TrainingOptions::describe(bind, o.training, "users");
    bind(
        "dropout", o.dropout, "share of hidden units dropped in training", {.min = 0, .max = 0.95}
    );
    bind(
        "dropout_per",
        o.dropout_per,
        "each example drops units of its own, or all of a step the same: cheaper",
        {.choices = {"example", "step"}}
    );
    bind("activation", o.activation, "of the hidden layer", {.choices = {"tanh", "relu"}});
    bind(
        "schedule",
        o.schedule,
        "of the step size; cosine = falls to 0 over the epochs",
        {.choices = {"constant", "cosine"}}
    );
    EpisodeOptions::describe(bind, o.episodes);
}

std::unique_ptr<Recommender> fit_dae(
    const FitContext& context, const DaeOptions& options, std::string_view label
) {
    auto users = bag_users(context, options.episodes, label);
    const auto net =
        std::make_shared<DaeNet>(static_cast<std::int64_t>(context.log.n_items()), options);
    torch::manual_seed(context.rng.split("weights")());
    net->initialise(users.log_popularity(context.log.n_items()));
    auto how = options.training.of(
        label, fmt::format("{} {}", options_json(options).dump(), context.log.size())
    );
    how.final_rate_share = options.schedule == "cosine" ? 0.0 : 1.0;
    train_on_bags(*net, std::move(users), options.episodes, how, context);
    return std::make_unique<Dae>(net);
}

std::unique_ptr<Recommender> load_dae(const SafetensorsFile& weights, const DaeOptions& options) {
    const auto encoder = value_or_throw(weights.tensor("encoder"));
    const auto net =
        std::make_shared<DaeNet>(encoder.shape.empty() ? 0 : encoder.shape.front(), options);
    for (auto& parameter : net->named_parameters()) {
        encode::copy_tensor(weights, parameter.key(), parameter.value());
    }
    return std::make_unique<Dae>(net);
}

}  // namespace hg::train
