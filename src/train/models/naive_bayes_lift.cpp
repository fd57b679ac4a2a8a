// SPDX-License-Identifier: Apache-2.0
// naive_bayes_lift: how much likelier an item becomes with each item of the history, multiplied up.
//
// score_i = log p_i + t sum over c of log lift(i, c), lift = p(i | c) / p_i, with p(i | c) smoothed
// towards p_i: (n_ic + a p_i) / (n_c + a). Dropping the term that is equal for all items leaves
// log(1 + n_ic / (a p_i)), which is 0 where a pair was never seen: sparse. Items of a history are
// not independent as naive Bayes has it, so the sum counts |history|^-damping (t). Domingos and
// Pazzani, Machine Learning 29, 1997. Defaults chosen on held-out users of ml-1m-fewshot's
// train.csv.
#include "train/model_entry.hpp"
#include "train/pair_memory.hpp"
#include "train/sparse.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::train {
namespace {

struct NaiveBayesLiftOptions {
    double smoothing = 15;
    double damping = 0.7;

    static void describe(OptionBinder& bind, NaiveBayesLiftOptions& o) {
        bind(
            "smoothing",
            o.smoothing,
            "users a pair is shrunk by towards independence",
            {.min = 1e-3, .max = 1e9}
        );
        bind(
            "damping",
            o.damping,
            "0 = naive sum over the history, 1 = its mean",
            {.min = 0, .max = 1}
        );
    }
};

class NaiveBayesLift final : public Recommender {
  public:
    NaiveBayesLift(Csr log_lift, std::vector<float> log_prior, const NaiveBayesLiftOptions& options)
        : log_lift_(std::move(log_lift)), log_prior_(std::move(log_prior)), options_(options) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            const auto scores = out.row(row);
            const auto context = positive_items(histories[row]).items;
            const auto share = static_cast<float>(std::pow(
                static_cast<double>(std::max<std::size_t>(context.size(), 1)), -options_.damping
            ));
            std::ranges::copy(log_prior_, scores.begin());
            for (const auto item : context) {
                const auto others = log_lift_.row(item);
                const auto values = log_lift_.row_values(item);
                for (std::size_t i = 0; i < others.size(); ++i) {
                    scores[others[i]] += share * values[i];
                }
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return log_prior_.size(); }

    void save(SafetensorsWriter& weights) const override {
        save_csr(weights, "log_lift", log_lift_);
        weights.add<float>("log_prior", log_prior_);
    }

  private:
    Csr log_lift_;                  // [n_items, n_items], 0 where a pair was never seen
    std::vector<float> log_prior_;  // [n_items]
    NaiveBayesLiftOptions options_;
};

std::unique_ptr<Recommender> fit_naive_bayes_lift(
    const FitContext& context, const Settings& settings
) {
    const auto options = settings.read<NaiveBayesLiftOptions>();
    const auto users = positive_pairs(context.log);
    check_pairs_fit({
        .model = "naive_bayes_lift",
        .users = users,
        .limit_bytes = context.memory_limit,
        .hint = "use item_knn with --set neighbours=200, or als",
    });
    const auto counts = column_counts(users);
    // Half a user more, so that an item nobody took has a finite logarithm.
    const auto prior = [&](std::size_t item) {
        return (counts[item] + 0.5) / (static_cast<double>(users.n_rows()) + 1.0);
    };
    std::vector<float> log_prior(users.n_cols);
    for (std::size_t i = 0; i < users.n_cols; ++i) {
        log_prior[i] = static_cast<float>(std::log(prior(i)));
    }
    Progress bar{context.progress, "naive_bayes_lift", users.n_cols, "items"};
    Csr log_lift;
    log_lift.n_cols = users.n_cols;
    log_lift.offsets.push_back(0);
    for_each_cooccurrence_row(users, [&](ItemId /*item*/, std::span<const Neighbour> others) {
        if (context.stop.stop_requested()) {
            throw Error{ErrorCode::interrupted, "stopped"};
        }
        for (const auto& other : others) {
            log_lift.indices.push_back(other.item);
            log_lift.values.push_back(static_cast<float>(
                std::log1p(other.count / (options.smoothing * prior(other.item)))
            ));
        }
        log_lift.offsets.push_back(static_cast<std::int64_t>(log_lift.indices.size()));
        bar.advance();
    });
    return std::make_unique<NaiveBayesLift>(std::move(log_lift), std::move(log_prior), options);
}

std::unique_ptr<Recommender> load_naive_bayes_lift(
    const SafetensorsFile& weights, const Settings& settings
) {
    const auto prior = value_or_throw(weights.values<float>("log_prior"));
    auto log_lift = value_or_throw(load_csr(weights, "log_lift", prior.size()));
    return std::make_unique<NaiveBayesLift>(
        std::move(log_lift),
        std::vector<float>{prior.begin(), prior.end()},
        settings.read<NaiveBayesLiftOptions>()
    );
}

}  // namespace

extern const ModelEntry naive_bayes_lift{
    .name = "naive_bayes_lift",
    .summary = "popularity times how much each item of the history lifts it",
    .facts = Fact::none,
    .options = &describe_options<NaiveBayesLiftOptions>,
    .fit = &fit_naive_bayes_lift,
    .load = &load_naive_bayes_lift,
};

}  // namespace hg::train
