// SPDX-License-Identifier: Apache-2.0
#include "train/models/dae_model.hpp"

#include "encode/tensor_io.hpp"
#include "train/models/bag_recommender_net.hpp"
#include "train/models/bag_training_net.hpp"
#include "train/models/dae_net.hpp"
#include "train/quantised_rows.hpp"

#include <torch/types.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace hg::train {
namespace {

class Dae final : public BagRecommender {
  public:
    explicit Dae(const std::shared_ptr<const DaeNet>& net)
        : BagRecommender(net), weights_(net->weights) {
        const at::NoGradGuard no_grad;
        Matrix<float> units(static_cast<std::size_t>(weights_.encoder.size(1)), n_items());
        encode::to_matrix(weights_.decoder.t(), units.view());
        units_ = QuantisedRows{std::as_const(units).view()};
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        if (histories.size() == 1) {
            return score_one(positives(histories.front()), out.row(0));
        }
        BagRecommender::score(histories, out);
    }

  private:
    /// The same for one user, as a server asks, which is a matter of reading the decoder: unit by unit
    /// in 16 bits, those at 0 not at all (of rectified ones a third to two thirds). Scores differ from the
    /// others by the rounding; no second thread is woken.
    void score_one(const std::vector<ItemId>& items, std::span<float> out) const {
        const auto dim = static_cast<std::size_t>(weights_.encoder.size(1));
        const auto* const encoder = weights_.encoder.const_data_ptr<float>();
        const auto* const bias = weights_.encoder_bias.const_data_ptr<float>();
        const auto weight = bag_weight(items.size());
        std::vector<float> state(bias, bias + dim);
        for (const auto item : items) {
            const auto* const row = encoder + item.index() * dim;
            for (std::size_t i = 0; i < dim; ++i) {
                state[i] += weight * row[i];
            }
        }
        for (auto& x : state) {
            x = weights_.relu ? std::max(x, 0.0F) : std::tanh(x);
        }
        std::copy_n(weights_.decoder_bias.const_data_ptr<float>(), out.size(), out.begin());
        units_.add_weighted(state, out);
    }

    DaeWeights weights_;   // handles
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
    const auto n_items = context.log.n_items();
    const auto dim = static_cast<std::size_t>(options.dim);
    check_memory({
        .what = fmt::format("{}: {} items in {} units", label, n_items, dim),
        .bytes = trained_bytes(n_items, 2 * dim) + answer_bytes(options.training, n_items),
        .limit_bytes = context.memory_limit,
        .hint = "fewer units, --set dim=64, smaller batches, --set batch_size=32, or als",
    });
    const auto net = std::make_shared<DaeNet>(static_cast<std::int64_t>(n_items), options);
    auto how = options.training.of(
        label, fmt::format("{} {}", options_json(options).dump(), context.log.size())
    );
    how.final_rate_share = options.schedule == "cosine" ? 0.0 : 1.0;
    fit_bag_net(*net, options.episodes, how, context);
    return std::make_unique<Dae>(net);
}

std::unique_ptr<Recommender> load_dae(const SafetensorsFile& weights, const DaeOptions& options) {
    const auto encoder = value_or_throw(weights.tensor("encoder"));
    const auto net =
        std::make_shared<DaeNet>(encoder.shape.empty() ? 0 : encoder.shape.front(), options);
    load_bag_net(weights, *net);
    return std::make_unique<Dae>(net);
}

}  // namespace hg::train
