// SPDX-License-Identifier: Apache-2.0
// PEARL's inference (Rakelly et al., 2019, equation 2): a user is a latent z; each event is read by
// an encoder into a Gaussian factor, and what is believed of z is their product with the prior.
//
//   q(z | events) ~ N(0, I) prod_n N(mu(x_n, y_n), 1 / p(x_n, y_n))
//                 = N(sum p mu / (1 + sum p), 1 / (1 + sum p))
//   loss = 1/2 E_q (f(x, z) - y)^2 + beta KL(q || N(0, I)) / n_query
//
// Deviations: supervised, not reinforced; the prior is a factor of the product, so that no events
// is a belief too; one draw of z per step in training, its mean when asked.
#include "policy/meta/amortised_learner_net.hpp"
#include "policy/meta/gaussian_product_net.hpp"

namespace hg::policy {
namespace {

struct PearlOptions {
    OuterOptions outer;
    std::int64_t hidden = 32;
    std::int64_t layers = 1;
    std::int64_t latent = 16;
    double kl_weight = 0.02;  // 1 and .3 collapse to the prior on MovieLens

    PearlOptions() {
        outer.steps = 800;
        outer.learning_rate = 0.01;
    }

    static void describe(OptionBinder& bind, PearlOptions& o) {
        bind("hidden", o.hidden, "width of encoder and decoder", {.min = 1, .max = 65536});
        bind("layers", o.layers, "hidden layers of each", {.min = 0, .max = 16});
        bind("latent", o.latent, "length of z", {.min = 1, .max = 4096});
        bind("kl_weight", o.kl_weight, "beta: how much a bit about the user costs", {.min = 0});
        OuterOptions::describe(bind, o.outer);
    }
};

class Pearl final : public AmortisedLearner {
  public:
    Pearl(std::size_t n_inputs, const PearlOptions& options, const Rng& rng)
        : AmortisedLearner(n_inputs, options.outer), options_(options) {
        const auto d = static_cast<std::int64_t>(n_inputs);
        encoder_ = make_mlp(
            {.inputs = d + 1,
             .hidden = options.hidden,
             .layers = options.layers,
             .outputs = 2 * options.latent,
             .head_scale = 1},
            rng.split("encoder")
        );
        decoder_ = make_mlp(
            {.inputs = d + options.latent,
             .hidden = options.hidden,
             .layers = options.layers,
             .head_scale = 0.1},
            rng.split("decoder")
        );
    }

  protected:
    [[nodiscard]] std::int64_t state_size() const override { return 2 * options_.latent; }

    /// (p mu, p) of each event: natural parameters, which multiply by adding.
    [[nodiscard]] at::Tensor encode(const EventTensors& events) const override {
        const auto halves = forward(encoder_, with_targets(events)).chunk(2, -1);
        const auto precision = at::softplus(halves[1]);
        return at::cat({precision * halves[0], precision}, -1);
    }

    [[nodiscard]] at::Tensor answer(const Sums& sums, const at::Tensor& inputs) const override {
        return decode(product_with_prior(sums.vectors).mean, inputs);
    }

    [[nodiscard]] at::Tensor loss(const Sums& sums, const EventTensors& query) const override {
        const auto q = product_with_prior(sums.vectors);
        const auto z = q.mean + q.variance.sqrt() * at::randn_like(q.mean);
        // KL(N(m, v) || N(0, 1)), summed over z.
        const auto kl = (q.variance + q.mean.square() - 1 - q.variance.log()).sum(1) / 2;
        const auto cost = options_.kl_weight * kl.mean() / query.mask.sum(1).mean();
        return masked_mean_square(decode(z, query.inputs), query) / 2 + cost;
    }

    [[nodiscard]] train::Adam::NamedTensors named_weights() const override {
        auto all = named("encoder", encoder_);
        for (auto& weight : named("decoder", decoder_)) {
            all.push_back(std::move(weight));
        }
        return all;
    }

  private:
    [[nodiscard]] at::Tensor decode(const at::Tensor& z, const at::Tensor& inputs) const {
        const auto everywhere = z.unsqueeze(1).expand({-1, inputs.size(1), -1});
        return forward(decoder_, at::cat({inputs, everywhere}, -1)).squeeze(-1);
    }

    PearlOptions options_;
    Weights encoder_;
    Weights decoder_;
};

std::unique_ptr<MetaLearner> pearl_learner(
    std::size_t n_inputs, const Settings& settings, Rng rng
) {
    return std::make_unique<Pearl>(n_inputs, settings.read<PearlOptions>(), rng);
}

}  // namespace

extern const MetaLearnerEntry pearl{
    .name = "pearl",
    .summary = "a latent user: the product of one Gaussian per event, read by an encoder",
    .facts = MetaFact::adapts | MetaFact::incremental,
    .options = &describe_options<PearlOptions>,
    .make = &pearl_learner,
};

}  // namespace hg::policy
