// SPDX-License-Identifier: Apache-2.0
// A conditional neural process (Garnelo et al., 2018) that modulates its decoder by the user, as
// TaNP (Lin et al., 2021) does.
//
//   r = sum_n e(x_n, y_n) / (n + p)
//   h = tanh((1 + A r) * (W x + b) + B r)                       (FiLM; TaNP, section 3.3)
//   f(x) = (w + C r) . (h, x) + c + D r
//
// Deviations: deterministic (no global latent), no memory of task clusters; the mean is shrunk by p
// pseudo-events, as a posterior mean would be: no events is r = 0, one event weighs less than
// twenty.
#include "policy/meta/amortised_learner_net.hpp"

namespace hg::policy {
namespace {

struct NeuralProcessOptions {
    OuterOptions outer;
    std::int64_t hidden = 32;
    std::int64_t layers = 1;
    std::int64_t summary = 32;
    double prior_events = 6;

    static void describe(OptionBinder& bind, NeuralProcessOptions& o) {
        bind("hidden", o.hidden, "width of encoder and decoder", {.min = 1, .max = 65536});
        bind("layers", o.layers, "hidden layers of the encoder", {.min = 0, .max = 16});
        bind("summary", o.summary, "length of r", {.min = 1, .max = 4096});
        bind("prior_events", o.prior_events, "p: events of nothing in the mean", {.min = 0.1});
        OuterOptions::describe(bind, o.outer);
    }
};

class NeuralProcess final : public AmortisedLearner {
  public:
    NeuralProcess(std::size_t n_inputs, const NeuralProcessOptions& options, const Rng& rng)
        : AmortisedLearner(n_inputs, options.outer), options_(options) {
        const auto d = static_cast<std::int64_t>(n_inputs);
        encoder_ = make_mlp(
            {.inputs = d + 1,
             .hidden = options.hidden,
             .layers = options.layers,
             .outputs = options.summary,
             .head_scale = 1},
            rng.split("encoder")
        );
        decoder_ =
            make_mlp({.inputs = d, .hidden = options.hidden, .layers = 1}, rng.split("decoder"));
        // r -> (A r, B r, C r, D r), small at first: the first decoder is everybody's.
        const auto n_modulated = 3 * options.hidden + d + 1;
        auto draws = rng.split("modulation");
        modulation_ = {
            random_matrix(n_modulated, options.summary, 0.1, draws).requires_grad_(),
        };
    }

  protected:
    [[nodiscard]] std::int64_t state_size() const override { return options_.summary; }

    [[nodiscard]] at::Tensor encode(const EventTensors& events) const override {
        return forward(encoder_, with_targets(events));
    }

    [[nodiscard]] at::Tensor answer(const Sums& sums, const at::Tensor& inputs) const override {
        const auto r = sums.vectors / (sums.counts + options_.prior_events);
        const auto h = options_.hidden;
        const auto modulated =
            at::matmul(r, modulation_.front().t()).unsqueeze(1);  // [B, 1, 3 h + d + 1]
        const auto parts = modulated.split_with_sizes({h, h, h + inputs.size(-1), 1}, -1);
        const auto hidden =
            ((1 + parts[0]) * affine(inputs, decoder_[0], decoder_[1]) + parts[1]).tanh();
        const auto seen = join(hidden, inputs);
        return (seen * (decoder_[2] + parts[2])).sum(-1) + (decoder_[3] + parts[3]).squeeze(-1);
    }

    [[nodiscard]] at::Tensor loss(const Sums& sums, const EventTensors& query) const override {
        return masked_mean_square(answer(sums, query.inputs), query);
    }

    [[nodiscard]] train::Adam::NamedTensors named_weights() const override {
        auto all = named("encoder", encoder_);
        for (const auto& [prefix, weights] :
             {std::pair{"decoder", &decoder_}, std::pair{"modulation", &modulation_}}) {
            for (auto& weight : named(prefix, *weights)) {
                all.push_back(std::move(weight));
            }
        }
        return all;
    }

  private:
    NeuralProcessOptions options_;
    Weights encoder_;
    Weights decoder_;     // one hidden layer
    Weights modulation_;  // one matrix
};

std::unique_ptr<MetaLearner> neural_process_learner(
    std::size_t n_inputs, const Settings& settings, Rng rng
) {
    return std::make_unique<NeuralProcess>(n_inputs, settings.read<NeuralProcessOptions>(), rng);
}

}  // namespace

extern const MetaLearnerEntry neural_process{
    .name = "neural_process",
    .summary = "a summary of the events modulates the network that answers",
    .facts = MetaFact::adapts | MetaFact::incremental,
    .options = &describe_options<NeuralProcessOptions>,
    .make = &neural_process_learner,
};

}  // namespace hg::policy
