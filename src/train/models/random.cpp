// SPDX-License-Identifier: Apache-2.0
// random: a fixed shuffle of the items per history: the floor every measurement should show.
//
// The scores are a hash of the seed, the history and the item, so that the same question gets the
// same answer, whatever the batch.
#include "train/model_entry.hpp"

namespace hg::train {
namespace {

struct RandomOptions {
    static void describe(OptionBinder& /*bind*/, RandomOptions& /*o*/) {}
};

class Random final : public Recommender {
  public:
    Random(std::uint64_t seed, std::size_t n_items) : seed_(seed), n_items_(n_items) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            Rng rng{seed_};
            for (const auto item : histories[row].items) {
                rng = rng.split(item.value);
            }
            for (auto& score : out.row(row)) {
                score = static_cast<float>(rng.uniform());
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return n_items_; }

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override {
        return std::make_unique<Random>(seed_, n_items_ + content.rows());
    }

    void save(SafetensorsWriter& weights) const override {
        weights.add<std::uint64_t>("seed", std::vector{seed_});
        weights.add<std::uint64_t>("n_items", std::vector{std::uint64_t{n_items_}});
    }

  private:
    std::uint64_t seed_;
    std::size_t n_items_;
};

std::unique_ptr<Recommender> fit_random(const FitContext& context, const Settings& settings) {
    (void)settings.read<RandomOptions>();
    auto rng = context.rng;
    return std::make_unique<Random>(rng(), context.log.n_items());
}

std::unique_ptr<Recommender>
load_random(const SafetensorsFile& weights, const Settings& /*settings*/) {
    const auto seed = value_or_throw(weights.values<std::uint64_t>("seed"));
    const auto n_items = value_or_throw(weights.values<std::uint64_t>("n_items"));
    if (seed.size() != 1 || n_items.size() != 1) {
        throw Error{ErrorCode::corrupt, "random: seed and n_items must be single numbers"};
    }
    return std::make_unique<Random>(seed[0], static_cast<std::size_t>(n_items[0]));
}

}  // namespace

extern const ModelEntry random{
    .name = "random",
    .summary = "a fixed shuffle per history: the floor of every measurement",
    .facts = Fact::random_scores,
    .options = &describe_options<RandomOptions>,
    .fit = &fit_random,
    .load = &load_random,
};

}  // namespace hg::train
