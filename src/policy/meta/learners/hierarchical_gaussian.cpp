// SPDX-License-Identifier: Apache-2.0
// hierarchical_gaussian: user bias and preference vector under one Gaussian prior, exact Bayes per
// event (linear_prior.hpp). item_bias is its special case without preferences.
//
// EM on the training tasks gives mean, covariance and noise. How wide the prior should be after few
// events is then chosen on held-out tasks, for the bias and the preferences apart
// (calibration.hpp), and EM runs again on all of them.
#include "policy/meta/calibration.hpp"
#include "policy/meta/linear_prior.hpp"
#include "policy/meta/meta_learner.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace hg::policy {
namespace {

struct HierarchicalGaussianOptions {
    std::int64_t iterations = 30;
    double calibration_share = 0.2;

    static void describe(OptionBinder& bind, HierarchicalGaussianOptions& o) {
        bind("iterations", o.iterations, "of EM", {.min = 1, .max = 1e5});
        bind(
            "calibration_share",
            o.calibration_share,
            "share of users held out to choose the prior's width; 0 = as EM says",
            {.min = 0, .max = 0.5}
        );
    }
};

constexpr std::array mean_factors{0.0, 0.5, 1.0};
constexpr std::array width_factors{0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0};

void predict_linear(const LinearBelief& belief, const QueriesView& queries, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = queries.offsets[i] + static_cast<float>(expected(belief, queries.inputs.row(i)));
    }
}

void observe_all(const LinearPrior& prior, LinearBelief& belief, const EventsView& events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        observe(belief, events.inputs.row(i), events.residual(i), prior.noise_variance);
    }
}

/// One factor after the other, twice: they hardly depend on each other.
PriorWidth choose_width(const LinearPrior& prior, std::span<const TaskEvents> held_out) {
    const auto episodes = first_event_episodes(held_out);
    PriorWidth best;
    if (episodes.empty()) {
        return best;
    }
    const auto error_of = [&](const PriorWidth& width) {
        const auto candidate = scaled(prior, width);
        return mean_square_error(
            episodes,
            [&](const EventsView& support, const QueriesView& query, std::span<float> out) {
                auto belief = candidate.start;
                observe_all(candidate, belief, support);
                predict_linear(belief, query, out);
            }
        );
    };
    double least = error_of(best);
    const auto improve = [&](double PriorWidth::* factor, std::span<const double> choices) {
        for (const double choice : choices) {
            auto candidate = best;
            candidate.*factor = choice;
            if (const double error = error_of(candidate); error < least) {
                least = error;
                best = candidate;
            }
        }
    };
    for (int round = 0; round < 2; ++round) {
        improve(&PriorWidth::mean, mean_factors);
        improve(&PriorWidth::bias, width_factors);
        improve(&PriorWidth::preference, width_factors);
    }
    return best;
}

class HierarchicalGaussian final : public MetaLearner {
  public:
    HierarchicalGaussian(std::size_t n_inputs, const HierarchicalGaussianOptions& options)
        : options_(options), n_inputs_(n_inputs) {
        prior_.start = {
            .mean = std::vector<double>(n_inputs + 1),
            .covariance = Matrix<double>(n_inputs + 1, n_inputs + 1),
        };
    }

    void fit(std::span<const TaskEvents> tasks, MetaFit session) override {
        std::vector<TaskEvents> shuffled{tasks.begin(), tasks.end()};
        session.rng.shuffle(std::span{shuffled});
        const auto n = static_cast<std::size_t>(
            std::lround(options_.calibration_share * static_cast<double>(shuffled.size()))
        );
        const std::span all{shuffled};
        PriorWidth width;
        if (n > 0 && n < shuffled.size()) {
            width =
                choose_width(fit_linear_prior(all.subspan(n), options_.iterations), all.first(n));
        }
        prior_ = scaled(fit_linear_prior(all, options_.iterations), width);
    }

    [[nodiscard]] TaskBelief start() const override {
        TaskBelief belief{.state = {}, .events = TaskEvents{n_inputs_}};
        write_state(prior_.start, belief);
        return belief;
    }

    void adapt(TaskBelief& belief, const EventsView& events) const override {
        auto posterior = read_state(belief);
        observe_all(prior_, posterior, events);
        write_state(posterior, belief);
        belief.n_events += events.size();
    }

    void predict(const TaskBelief& belief, const QueriesView& queries, std::span<float> out)
        const override {
        predict_linear(read_state(belief), queries, out);
    }

    void save(SafetensorsWriter& weights) const override {
        weights.add("mean", std::span<const double>{prior_.start.mean});
        weights.add("covariance", prior_.start.covariance.view());
        weights.add("noise_variance", std::span<const double>{&prior_.noise_variance, 1});
    }

    void load(const SafetensorsFile& weights) override {
        const auto mean = value_or_throw(weights.values<double>("mean"));
        const auto covariance = value_or_throw(weights.values<double>("covariance"));
        const auto noise = value_or_throw(weights.values<double>("noise_variance"));
        const auto d = n_inputs_ + 1;
        if (mean.size() != d || covariance.size() != d * d || noise.size() != 1) {
            throw Error{
                ErrorCode::corrupt,
                "the prior's shapes do not fit together, or not the inputs",
                "fit again"
            };
        }
        std::ranges::copy(mean, prior_.start.mean.begin());
        std::ranges::copy(covariance, prior_.start.covariance.values().begin());
        prior_.noise_variance = noise.front();
    }

  private:
    /// Mean, then covariance.
    static void write_state(const LinearBelief& from, TaskBelief& belief) {
        belief.state.assign(from.mean.begin(), from.mean.end());
        const auto values = from.covariance.values();
        belief.state.insert(belief.state.end(), values.begin(), values.end());
    }

    [[nodiscard]] LinearBelief read_state(const TaskBelief& belief) const {
        const auto d = n_inputs_ + 1;
        HG_CHECK(belief.state.size() == d * (d + 1), "a belief of another learner or settings");
        const auto cut = belief.state.begin() + static_cast<std::ptrdiff_t>(d);
        return {
            .mean = {belief.state.begin(), cut},
            .covariance = Matrix<double>(d, d, {cut, belief.state.end()}),
        };
    }

    HierarchicalGaussianOptions options_;
    std::size_t n_inputs_;
    LinearPrior prior_;
};

std::unique_ptr<MetaLearner>
hierarchical_gaussian_learner(std::size_t n_inputs, const Settings& settings, Rng /*rng*/) {
    return std::make_unique<HierarchicalGaussian>(
        n_inputs, settings.read<HierarchicalGaussianOptions>()
    );
}

}  // namespace

extern const MetaLearnerEntry hierarchical_gaussian{
    .name = "hierarchical_gaussian",
    .summary = "bias and preferences under a learned Gaussian prior, exact Bayes per event",
    .facts = MetaFact::adapts | MetaFact::incremental,
    .options = &describe_options<HierarchicalGaussianOptions>,
    .make = &hierarchical_gaussian_learner,
};

}  // namespace hg::policy
