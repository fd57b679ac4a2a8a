// SPDX-License-Identifier: Apache-2.0
// item_mean: the answer expected of anybody, whoever asks: the floor of every comparison.
#include "policy/meta/meta_learner.hpp"

#include <algorithm>

namespace hg::policy {
namespace {

struct ItemMeanOptions {
    static void describe(OptionBinder& /*bind*/, ItemMeanOptions& /*o*/) {}
};

class ItemMean final : public MetaLearner {
  public:
    explicit ItemMean(std::size_t n_inputs) : n_inputs_(n_inputs) {}

    void fit(std::span<const TaskEvents> /*tasks*/, MetaFit /*session*/) override {}

    [[nodiscard]] TaskBelief start() const override {
        return {.state = {}, .events = TaskEvents{n_inputs_}};
    }

    void adapt(TaskBelief& belief, const EventsView& events) const override {
        belief.n_events += events.size();
    }

    void predict(const TaskBelief& /*belief*/, const QueriesView& queries, std::span<float> out)
        const override {
        std::ranges::copy(queries.offsets, out.begin());
    }

    void save(SafetensorsWriter& /*weights*/) const override {}

    void load(const SafetensorsFile& /*weights*/) override {}

  private:
    std::size_t n_inputs_;
};

std::unique_ptr<MetaLearner>
item_mean_learner(std::size_t n_inputs, const Settings& settings, Rng /*rng*/) {
    (void)settings.read<ItemMeanOptions>();
    return std::make_unique<ItemMean>(n_inputs);
}

}  // namespace

extern const MetaLearnerEntry item_mean{
    .name = "item_mean",
    .summary = "the item's mean, for everybody: nothing is adapted",
    .facts = MetaFact::incremental,
    .options = &describe_options<ItemMeanOptions>,
    .make = &item_mean_learner,
};

}  // namespace hg::policy
