// SPDX-License-Identifier: Apache-2.0
// personal_frequency: people take again what they took often: the row to beat where repeats count.
//
// score_i = (n_ui + m p_i) / (n_u + m): the share of item i among the user's events, shrunk to its
// share p_i among everybody's (Dirichlet smoothing; m = prior_events). With half_life > 0 an event
// counts half after that many later ones. See Hu et al., "Modeling Personalized Item Frequency
// Information for Next-basket Recommendation", SIGIR 2020, for why this is hard to beat; we leave
// out their neighbour part.
#include "train/cold_start.hpp"
#include "train/model_entry.hpp"

#include <cmath>
#include <vector>

namespace hg::train {
namespace {

struct PersonalFrequencyOptions {
    double prior_events = 1;
    double half_life = 0;

    static void describe(OptionBinder& bind, PersonalFrequencyOptions& o) {
        bind(
            "prior_events",
            o.prior_events,
            "weight of popularity, in events",
            {.min = 1e-6, .max = 1e9}
        );
        bind(
            "half_life",
            o.half_life,
            "later events until an event counts half; 0 = never",
            {.min = 0}
        );
    }
};

class PersonalFrequency final : public Recommender {
  public:
    PersonalFrequency(std::vector<float> shares, const PersonalFrequencyOptions& options)
        : shares_(std::move(shares)), options_(options) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        const auto prior = static_cast<float>(options_.prior_events);
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto& history = histories[row];
            const auto scores = out.row(row);
            for (std::size_t i = 0; i < shares_.size(); ++i) {
                scores[i] = prior * shares_[i];
            }
            float total = prior;
            for (std::size_t i = 0; i < history.size(); ++i) {
                if (history.weight(i) <= 0) {
                    continue;
                }
                const float counted = age_weight(history.size() - 1 - i);
                scores[history.items[i].index()] += counted;
                total += counted;
            }
            for (auto& score : scores) {
                score /= total;
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return shares_.size(); }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("shares", std::span<const float>{shares_});
    }

  private:
    [[nodiscard]] float age_weight(std::size_t later_events) const {
        if (options_.half_life <= 0) {
            return 1.0F;
        }
        return static_cast<float>(std::exp2(-static_cast<double>(later_events) / options_.half_life)
        );
    }

    std::vector<float> shares_;  // [n_items], sum 1
    PersonalFrequencyOptions options_;
};

std::unique_ptr<Recommender> fit_personal_frequency(
    const FitContext& context, const Settings& settings
) {
    auto shares = popularity_whisper(context.log, 1.0F);
    double sum = 0;
    for (const auto share : shares) {
        sum += share;
    }
    for (auto& share : shares) {
        share = static_cast<float>(share / std::max(sum, 1e-30));
    }
    return std::make_unique<PersonalFrequency>(
        std::move(shares), settings.read<PersonalFrequencyOptions>()
    );
}

std::unique_ptr<Recommender> load_personal_frequency(
    const SafetensorsFile& weights, const Settings& settings
) {
    const auto shares = value_or_throw(weights.values<float>("shares"));
    return std::make_unique<PersonalFrequency>(
        std::vector<float>{shares.begin(), shares.end()}, settings.read<PersonalFrequencyOptions>()
    );
}

}  // namespace

extern const ModelEntry personal_frequency{
    .name = "personal_frequency",
    .summary = "what the user took most often before, with popularity behind it; for repeats",
    .options = &describe_options<PersonalFrequencyOptions>,
    .fit = &fit_personal_frequency,
    .load = &load_personal_frequency,
};

}  // namespace hg::train
