// SPDX-License-Identifier: Apache-2.0
// anil: a user as a preference head that a few gradient steps on the clicks adapt; items, their biases,
// where the head starts and how long the steps are, were learned so that those steps end well.
//
//   p(i | w) = softmax_i(E_i . w + c_i)
//   w_{t+1} = w_t + a_t * n^-1/2 sum over the n clicks of (E_i - sum_j p(j | w_t) E_j)      inner loop
//   E, c, w_0, a <- AdamW on -log p(the user's others | w_steps)                            outer loop
//
// Raghu et al., "Rapid Learning or Feature Reuse?" (2020): only the head is adapted. With a step size
// for each coordinate (rates = coordinate) it is Meta-SGD (Li et al., 2017) on that head. The gradient of the
// support is written out, so one more derivative of it is all that the second order takes. Deviations:
// a step is the gradient's sum over sqrt(n), not its mean, so that evidence counts; the support is no part
// of the outer loss. Episodes: bag_training_net.hpp.
#include "train/models/anil_net.hpp"
#include "train/models/bag_recommender_net.hpp"
#include "train/models/bag_training_net.hpp"
#include "train/training_options.hpp"

#include <fmt/format.h>

#include <memory>

namespace hg::train {
namespace {

struct AnilOptions {
    std::int64_t dim = 256;
    std::int64_t inner_steps = 1;
    std::string rates = "coordinate";
    std::string order = "second";
    double dropout = 0.2;
    TrainingOptions training{
        .epochs = 150, .batch_size = 128, .patience = 10, .learning_rate = 1e-3
    };
    EpisodeOptions episodes{};

    static void describe(OptionBinder& bind, AnilOptions& o) {
        bind("dim", o.dim, "numbers of an item and of a head", {.min = 1, .max = 65536});
        bind("inner_steps", o.inner_steps, "gradient steps on the clicks", {.min = 0, .max = 20});
        bind(
            "rates",
            o.rates,
            "step sizes learned: one a step (ANIL), or one of each coordinate (Meta-SGD)",
            {.choices = {"one", "coordinate"}}
        );
        bind(
            "order",
            o.order,
            "whether the outer loop sees how the steps depend on what it learns",
            {.choices = {"first", "second"}}
        );
        bind(
            "dropout",
            o.dropout,
            "share of coordinates dropped in a training step, for all its users",
            {.min = 0, .max = 0.95}
        );
        TrainingOptions::describe(bind, o.training, "users");
        EpisodeOptions::describe(bind, o.episodes);
    }

    [[nodiscard]] std::shared_ptr<AnilNet> net(std::size_t n_items) const {
        return std::make_shared<AnilNet>(
            static_cast<std::int64_t>(n_items),
            dim,
            inner_steps,
            rates == "one",
            order == "first",
            dropout
        );
    }
};

class Anil final : public BagRecommender {
  public:
    explicit Anil(const std::shared_ptr<const AnilNet>& net)
        : BagRecommender(net), weights_(net->weights) {
        const at::NoGradGuard no_grad;
        at_start_ = weights_.expected(weights_.start.unsqueeze(0));
    }

  protected:
    [[nodiscard]] at::Tensor states(const ItemBags& bags) const override {
        return weights_.heads(bags, at_start_);
    }

  private:
    AnilWeights weights_;  // handles
    at::Tensor at_start_;  // of the first step, which is the same for everybody
};

std::unique_ptr<Recommender> fit_anil(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<AnilOptions>();
    const auto n_items = context.log.n_items();
    check_memory({
        .what = fmt::format("anil: {} items in {} numbers", n_items, options.dim),
        .bytes =
            trained_bytes(n_items, static_cast<std::size_t>(options.dim)) +
            static_cast<double>(1 + options.inner_steps) * answer_bytes(options.training, n_items),
        .limit_bytes = context.memory_limit,
        .hint = "fewer numbers, --set dim=64, smaller batches, --set batch_size=32, or als",
    });
    const auto net = options.net(n_items);
    const auto how = options.training.of(
        "anil", fmt::format("{} {}", options_json(options).dump(), context.log.size())
    );
    fit_bag_net(*net, options.episodes, how, context);
    return std::make_unique<Anil>(net);
}

std::unique_ptr<Recommender> load_anil(const SafetensorsFile& weights, const Settings& settings) {
    const auto items = value_or_throw(weights.tensor("items"));
    const auto net = settings.read<AnilOptions>().net(
        items.shape.empty() ? 0 : static_cast<std::size_t>(items.shape.front())
    );
    load_bag_net(weights, *net);
    return std::make_unique<Anil>(net);
}

}  // namespace

extern const ModelEntry anil{
    .name = "anil",
    .summary = "a preference head adapted by gradient steps on the clicks (ANIL, Meta-SGD)",
    .facts = Fact::uses_gradient,
    .options = &describe_options<AnilOptions>,
    .fit = &fit_anil,
    .load = &load_anil,
};

}  // namespace hg::train
