// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/gradient_learner.hpp"

#include "encode/tensor_io.hpp"
#include "policy/meta/inner_loop_net.hpp"
#include "policy/meta/outer_loop_net.hpp"

#include <algorithm>
#include <utility>

namespace hg::policy {
namespace {

class GradientLearner final : public MetaLearner {
  public:
    GradientLearner(
        std::size_t n_inputs, const GradientOptions& options, GradientPlan plan, Rng rng
    )
        : options_(options),
          plan_(plan),
          n_inputs_(n_inputs),
          theta_(make_mlp(
              {.inputs = static_cast<std::int64_t>(n_inputs),
               .hidden = options.hidden,
               .layers = options.layers},
              rng.split("weights")
          )) {
        if (plan.rates == Rates::learned) {
            for (auto i = first_adapted(); i < theta_.size(); ++i) {
                factors_.push_back(at::ones_like(theta_[i]).requires_grad_());
            }
        }
    }

    void fit(std::span<const TaskEvents> tasks, MetaFit session) override {
        scale_ = scale_of(options_.outer, tasks);
        run_outer_loop(
            options_.outer,
            tasks,
            {.weights = named_weights(),
             .scale = scale_,
             .update = update(),
             .check = [this](const TaskBatch& batch) { return check(batch); }},
            session
        );
    }

    [[nodiscard]] TaskBelief start() const override {
        TaskBelief belief{.state = {}, .events = TaskEvents{n_inputs_}};
        write_state(theta_, belief);
        return belief;
    }

    void adapt(TaskBelief& belief, const EventsView& events) const override {
        belief.events.add_all(events);
        belief.n_events = belief.events.size();
        if (belief.n_events == 0) {
            return;
        }
        const at::AutoGradMode with_gradients{true};
        const auto support = to_tensors(belief.events.view(), scale_);
        write_state(adapt_weights(theta_, support, inner(Order::first), rates()), belief);
    }

    void predict(const TaskBelief& belief, const QueriesView& queries, std::span<float> out)
        const override {
        HG_CHECK(out.size() == queries.size(), "a place per query");
        if (queries.size() == 0) {
            return;
        }
        const at::NoGradGuard no_grad;
        const auto inputs = encode::to_tensor(queries.inputs).unsqueeze(0);
        write_answers(forward(read_state(belief), inputs), queries, scale_, out);
    }

    void save(SafetensorsWriter& weights) const override {
        save_network(named_weights(), scale_, weights);
    }

    void load(const SafetensorsFile& weights) override {
        scale_ = load_network(weights, named_weights());
    }

  private:
    [[nodiscard]] std::size_t first_adapted() const {
        return plan_.adapted == Adapted::head ? theta_.size() - head_size : 0;
    }

    [[nodiscard]] InnerLoop inner(Order order) const {
        return {
            .steps = options_.inner_steps,
            .rate = options_.inner_rate,
            .adapted = plan_.adapted,
            .order = order,
            .loss = options_.support_loss == "mean" ? SupportLoss::mean : SupportLoss::sum,
        };
    }

    /// Empty where they are fixed.
    [[nodiscard]] Weights rates() const {
        Weights rates;
        for (const auto& factor : factors_) {
            rates.push_back(options_.inner_rate * factor);
        }
        return rates;
    }

    [[nodiscard]] train::Adam::NamedTensors named_weights() const {
        auto all = named("theta", theta_);
        for (auto& rate : named("rate_factors", factors_)) {
            all.push_back(std::move(rate));
        }
        return all;
    }

    [[nodiscard]] at::Tensor query_loss(const TaskBatch& batch, Order order) const {
        const auto adapted = adapt_weights(theta_, batch.support, inner(order), rates());
        return masked_mean_square(forward(adapted, batch.query.inputs).squeeze(-1), batch.query);
    }

    [[nodiscard]] std::function<void(const TaskBatch&, std::int64_t, double)> update() {
        if (plan_.outer == OuterStep::towards_adapted) {
            return [this](const TaskBatch& batch, std::int64_t /*step*/, double rate_share) {
                const auto adapted = adapt_weights(theta_, batch.support, inner(Order::first));
                move_towards(theta_, adapted, rate_share * options_.outer.learning_rate);
            };
        }
        return descend(options_.outer, named_weights(), [this](const TaskBatch& batch) {
            if (plan_.outer == OuterStep::pooled) {
                return masked_mean_square(
                    forward(theta_, batch.query.inputs).squeeze(-1), batch.query
                );
            }
            return query_loss(
                batch, plan_.outer == OuterStep::through_inner ? Order::second : Order::first
            );
        });
    }

    [[nodiscard]] double check(const TaskBatch& batch) const {
        return query_loss(batch, Order::first).item<double>();
    }

    /// The adapted weights, one after the other.
    void write_state(const Weights& weights, TaskBelief& belief) const {
        belief.state.clear();
        for (auto i = first_adapted(); i < weights.size(); ++i) {
            const auto flat = weights[i].detach().contiguous();
            const auto* values = flat.const_data_ptr<float>();
            belief.state.insert(belief.state.end(), values, values + flat.numel());
        }
    }

    [[nodiscard]] Weights read_state(const TaskBelief& belief) const {
        Weights weights = theta_;
        auto from = belief.state.begin();
        for (auto i = first_adapted(); i < weights.size(); ++i) {
            auto w = at::empty_like(theta_[i], at::TensorOptions{}.requires_grad(false));
            HG_CHECK(
                belief.state.end() - from >= w.numel(), "a belief of another learner or settings"
            );
            std::copy_n(from, w.numel(), w.mutable_data_ptr<float>());
            from += w.numel();
            weights[i] = w;
        }
        return weights;
    }

    GradientOptions options_;
    GradientPlan plan_;
    std::size_t n_inputs_;
    Weights theta_;
    Weights factors_;  // of inner_rate, where rates are learned: one outer step changes them little
    TargetScale scale_;
};

}  // namespace

void GradientOptions::describe(OptionBinder& bind, GradientOptions& o) {
    bind("hidden", o.hidden, "width of the hidden layers", {.min = 1, .max = 65536});
    bind("layers", o.layers, "hidden layers; 0 = a linear model", {.min = 0, .max = 16});
    bind("inner_steps", o.inner_steps, "gradient steps on a user's events", {.min = 0, .max = 1e4});
    bind("inner_rate", o.inner_rate, "their size; Meta-SGD starts here", {.min = 0, .max = 100});
    bind(
        "support_loss",
        o.support_loss,
        "a step grows with the number of events, or does not",
        {.choices = {"sum", "mean"}}
    );
    OuterOptions::describe(bind, o.outer);
}

std::unique_ptr<MetaLearner> make_gradient_learner(
    std::size_t n_inputs, const GradientOptions& options, GradientPlan plan, Rng rng
) {
    return std::make_unique<GradientLearner>(n_inputs, options, plan, rng);
}

}  // namespace hg::policy
