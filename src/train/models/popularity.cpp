// SPDX-License-Identifier: Apache-2.0
// popularity: every user gets the items most people liked: the row every model must beat.
#include "train/model_entry.hpp"

#include <algorithm>
#include <vector>

namespace hg::train {
namespace {

struct PopularityOptions {
    double window_days = 0;

    static void describe(OptionBinder& bind, PopularityOptions& o) {
        bind(
            "window_days",
            o.window_days,
            "count only the last days of the log; 0 = all of it",
            {.min = 0}
        );
    }
};

class Popularity final : public Recommender {
  public:
    explicit Popularity(std::vector<float> counts) : counts_(std::move(counts)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(counts_, out.row(row).begin());
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return counts_.size(); }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("counts", std::span<const float>{counts_});
    }

  private:
    std::vector<float> counts_;  // [n_items] positive events
};

std::unique_ptr<Recommender> fit_popularity(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<PopularityOptions>();
    const auto& columns = context.log.columns();
    TimeMs start = std::numeric_limits<TimeMs>::min();
    if (options.window_days > 0) {
        if (context.dataset.time_kind != data::TimeKind::real) {
            throw Error{
                ErrorCode::invalid_argument,
                "window_days needs real timestamps, this dataset has none",
                "use window_days = 0, or say time = \"real\" in dataset.toml",
            };
        }
        constexpr double ms_per_day = 86'400'000;
        const auto last = columns.times.empty() ? 0 : std::ranges::max(columns.times);
        start = last - static_cast<TimeMs>(options.window_days * ms_per_day);
    }
    std::vector<float> counts(context.log.n_items());
    for (std::size_t i = 0; i < context.log.size(); ++i) {
        if (columns.weights[i] > 0 && columns.times[i] >= start) {
            counts[columns.items[i].index()] += 1;
        }
    }
    return std::make_unique<Popularity>(std::move(counts));
}

std::unique_ptr<Recommender>
load_popularity(const SafetensorsFile& weights, const Settings& /*settings*/) {
    const auto counts = value_or_throw(weights.values<float>("counts"));
    return std::make_unique<Popularity>(std::vector<float>{counts.begin(), counts.end()});
}

}  // namespace

extern const ModelEntry popularity{
    .name = "popularity",
    .summary = "the items most people liked, all time or in a recent window",
    .facts = Fact::none,
    .options = &describe_options<PopularityOptions>,
    .fit = &fit_popularity,
    .load = &load_popularity,
};

}  // namespace hg::train
