// SPDX-License-Identifier: Apache-2.0
// item_bias: item mean + user bias, the two lines that published meta-learners often lose to.
//
//   answer = offset + sum of the user's residuals / (n + shrinkage)              (Koren, 2010)
//
// The shrinkage is chosen after the first events of the training tasks (calibration.hpp).
#include "policy/meta/calibration.hpp"
#include "policy/meta/meta_learner.hpp"

#include <array>

namespace hg::policy {
namespace {

struct ItemBiasOptions {
    double shrinkage = 0;

    static void describe(OptionBinder& bind, ItemBiasOptions& o) {
        bind(
            "shrinkage",
            o.shrinkage,
            "events of residual 0 that every user starts with; 0 = chosen on the training users",
            {.min = 0, .max = 1e6}
        );
    }
};

constexpr std::array<float, 16> candidates{
    0.5F, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100, 300
};

float bias_of(float residual_sum, std::size_t n_events, float shrinkage) {
    return residual_sum / (static_cast<float>(n_events) + shrinkage);
}

float sum_of_residuals(const EventsView& events) {
    float sum = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        sum += events.residual(i);
    }
    return sum;
}

void add_bias(float bias, const QueriesView& queries, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = queries.offsets[i] + bias;
    }
}

class ItemBias final : public MetaLearner {
  public:
    ItemBias(std::size_t n_inputs, const ItemBiasOptions& options)
        : options_(options),
          n_inputs_(n_inputs),
          shrinkage_(options.shrinkage > 0 ? static_cast<float>(options.shrinkage) : 5.0F) {}

    void fit(std::span<const TaskEvents> tasks, MetaFit /*session*/) override {
        const auto episodes = first_event_episodes(tasks);
        if (options_.shrinkage > 0 || episodes.empty()) {
            return;
        }
        double best = 0;
        for (const float candidate : candidates) {
            const double error = mean_square_error(
                episodes,
                [candidate](
                    const EventsView& support, const QueriesView& query, std::span<float> out
                ) {
                    const auto sum = sum_of_residuals(support);
                    add_bias(bias_of(sum, support.size(), candidate), query, out);
                }
            );
            if (candidate == candidates.front() || error < best) {
                best = error;
                shrinkage_ = candidate;
            }
        }
    }

    /// The sum of residuals.
    [[nodiscard]] TaskBelief start() const override {
        return {.state = {0.0F}, .events = TaskEvents{n_inputs_}};
    }

    void adapt(TaskBelief& belief, const EventsView& events) const override {
        belief.state.front() += sum_of_residuals(events);
        belief.n_events += events.size();
    }

    void predict(const TaskBelief& belief, const QueriesView& queries, std::span<float> out)
        const override {
        add_bias(bias_of(belief.state.front(), belief.n_events, shrinkage_), queries, out);
    }

    void save(SafetensorsWriter& weights) const override {
        weights.add("shrinkage", std::span<const float>{&shrinkage_, 1});
    }

    void load(const SafetensorsFile& weights) override {
        const auto values = value_or_throw(weights.values<float>("shrinkage"));
        if (values.size() != 1 || !(values.front() > 0)) {
            throw Error{ErrorCode::corrupt, "shrinkage: expected one positive number", "fit again"};
        }
        shrinkage_ = values.front();
    }

  private:
    ItemBiasOptions options_;
    std::size_t n_inputs_;
    float shrinkage_;
};

std::unique_ptr<MetaLearner>
item_bias_learner(std::size_t n_inputs, const Settings& settings, Rng /*rng*/) {
    return std::make_unique<ItemBias>(n_inputs, settings.read<ItemBiasOptions>());
}

}  // namespace

extern const MetaLearnerEntry item_bias{
    .name = "item_bias",
    .summary = "the item's mean plus the user's shrunk bias: two lines, hard to beat",
    .facts = MetaFact::adapts | MetaFact::incremental,
    .options = &describe_options<ItemBiasOptions>,
    .make = &item_bias_learner,
};

}  // namespace hg::policy
