// SPDX-License-Identifier: Apache-2.0
// gaussian_mixture: several Gaussian beliefs per user, one for each kind of user; the kind is
// inferred from what they do.
//
// u ~ sum_c pi_c N(mu_c, Sigma_c), the components from clusters of the training users' preferences
// (taken at length 1: what is liked, not how much), shrunk to everyone's by n_c / (n_c + shrinkage).
// An event updates every component as in train/gaussian_prior.hpp and multiplies its responsibility
// by how likely the component found it, N(y; v'm_c, v'C_c v + s2): Bayes in closed form. The score
// is v . sum_c r_c m_c. One component is the model `gaussian` without segments.
#include "train/calibrate_prior.hpp"
#include "train/clusters.hpp"
#include "train/dense.hpp"
#include "train/fit_gaussian_prior.hpp"
#include "train/model_entry.hpp"
#include "train/preference_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

struct MixtureOptions {
    std::int64_t dim = 48;
    std::int64_t components = 8;
    std::string clusters = "k_means";
    double shrinkage = 100;
    bool equal_users = false;
    double flat_share = 0;
    double prior_scale = 1;
    double noise_scale = 1;
    bool calibrate = true;
    double content_penalty = 0;
    std::int64_t power_iterations = 12;

    static void describe(OptionBinder& bind, MixtureOptions& o) {
        bind("dim", o.dim, "width of a preference", {.min = 1, .max = 256});
        bind("components", o.components, "kinds of users, at most", {.min = 1, .max = 256});
        bind(
            "clusters",
            o.clusters,
            "how kinds of users are found",
            {.choices = {"k_means", "hierarchical"}}
        );
        bind("shrinkage", o.shrinkage, "users at which a component counts half", {.min = 0});
        bind(
            "equal_users",
            o.equal_users,
            "users count alike in the covariances, however much they did"
        );
        bind(
            "flat_share",
            o.flat_share,
            "share of the same variance in every direction in the covariances",
            {.min = 0, .max = 1}
        );
        bind("prior_scale", o.prior_scale, "factor on the covariances", {.min = 1e-6, .max = 1e6});
        bind("noise_scale", o.noise_scale, "factor on the event noise", {.min = 1e-6, .max = 1e6});
        bind(
            "calibrate",
            o.calibrate,
            "scales and shape as for the model gaussian: chosen on users held out"
        );
        bind(
            "content_penalty",
            o.content_penalty,
            "ridge of the map from content to item vectors; 0 = chosen on items held out",
            {.min = 0, .max = 1e6}
        );
        bind(
            "power_iterations",
            o.power_iterations,
            "subspace iterations of the SVD",
            {.min = 1, .max = 100}
        );
    }
};

/// One belief per component, and how likely each is.
struct MixtureBelief {
    std::vector<GaussianPosterior> components;
    std::vector<double> log_weights;  // not normalised

    [[nodiscard]] GaussianPosterior mean() const {
        const double most = std::ranges::max(log_weights);
        GaussianPosterior mixture{
            .mean = std::vector<float>(components[0].dim()), .covariance = {}
        };
        double total = 0;
        for (const double w : log_weights) {
            total += std::exp(w - most);
        }
        for (std::size_t c = 0; c < components.size(); ++c) {
            const auto share = static_cast<float>(std::exp(log_weights[c] - most) / total);
            for (std::size_t i = 0; i < mixture.mean.size(); ++i) {
                mixture.mean[i] += share * components[c].mean[i];
            }
        }
        return mixture;
    }
};

class GaussianMixture final : public Recommender {
  public:
    /// The segments of the prior are the components.
    GaussianMixture(GaussianPrior prior, std::vector<float> log_weights)
        : prior_(std::move(prior)), log_weights_(std::move(log_weights)) {
        HG_CHECK(
            log_weights_.size() == prior_.parts().segments.size(), "every component has a weight"
        );
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            prior_.score(belief(histories[row]).mean(), out.row(row));
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return prior_.n_items(); }

    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return prior_.parts().item_vectors.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(belief(histories[row]).mean().mean, out.row(row).begin());
        }
    }

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override {
        const auto& map = prior_.parts().content_map;
        if (map.empty() || map.content_dim() != content.cols()) {
            return nullptr;
        }
        return std::make_unique<GaussianMixture>(prior_.grown(content), log_weights_);
    }

    void save(SafetensorsWriter& weights) const override {
        prior_.save(weights, "");
        weights.add<float>("log_weights", std::span<const float>{log_weights_});
    }

  private:
    [[nodiscard]] MixtureBelief belief(const data::History& history) const {
        MixtureBelief belief;
        for (std::size_t c = 0; c < log_weights_.size(); ++c) {
            belief.components.push_back(prior_.parts().segments[c].start);
            belief.log_weights.push_back(static_cast<double>(log_weights_[c]));
        }
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto item = history.items[i].index();
            const auto weight = history.weight(i);
            for (std::size_t c = 0; c < belief.components.size(); ++c) {
                auto& component = belief.components[c];
                belief.log_weights[c] += prior_.log_evidence(component, item, weight);
                prior_.observe(component, item, weight);
            }
        }
        return belief;
    }

    GaussianPrior prior_;
    std::vector<float> log_weights_;
};

Matrix<float> unit_rows_of(const Matrix<float>& rows, std::span<const std::uint32_t> which) {
    Matrix<float> units(which.size(), rows.cols());
    for (std::size_t i = 0; i < which.size(); ++i) {
        std::ranges::copy(rows.row(which[i]), units.row(i).begin());
        normalise(units.row(i));
    }
    return units;
}

std::unique_ptr<Recommender> fit_gaussian_mixture(
    const FitContext& context, const Settings& settings
) {
    const auto options = settings.read<MixtureOptions>();
    const GaussianOptions given{
        .dim = options.dim,
        .prior_scale = options.prior_scale,
        .noise_scale = options.noise_scale,
        .equal_users = options.equal_users,
        .flat_share = options.flat_share,
        .content_penalty = options.content_penalty,
        .power_iterations = options.power_iterations,
    };
    const auto base = options.calibrate ? calibrated(context, given) : given;
    const auto space = fit_preference_space(context, space_options(base));
    auto parts = prior_in(space, context, base).parts();
    const auto units = unit_rows_of(space.users, space.active);
    const auto k = static_cast<std::size_t>(options.components);
    const auto rng = context.rng.split("clusters");
    const auto label = options.clusters == "k_means" ? k_means(units.view(), k, rng)
                                                     : ward_clusters(units.view(), k, rng);
    std::vector<std::vector<std::uint32_t>> members(std::size_t{std::ranges::max(label)} + 1);
    for (std::size_t i = 0; i < label.size(); ++i) {
        members[label[i]].push_back(space.active[i]);
    }
    parts.segments.clear();
    std::vector<float> log_weights;
    for (std::size_t c = 0; c < members.size(); ++c) {
        const auto n = static_cast<float>(members[c].size());
        const float share = n / (n + static_cast<float>(options.shrinkage));
        auto start = scaled_moments(space, members[c], share, base);
        parts.segments.push_back({fmt::format("kind {}", c + 1), std::move(start)});
        log_weights.push_back(std::log(n / static_cast<float>(space.active.size())));
    }
    return std::make_unique<GaussianMixture>(
        GaussianPrior{std::move(parts)}, std::move(log_weights)
    );
}

std::unique_ptr<Recommender>
load_gaussian_mixture(const SafetensorsFile& weights, const Settings& /*settings*/) {
    auto prior = GaussianPrior::load(weights, "");
    const auto stored = value_or_throw(weights.values<float>("log_weights"));
    if (stored.size() != prior.parts().segments.size()) {
        throw Error{
            ErrorCode::corrupt,
            "gaussian_mixture: log_weights do not fit the components",
            "train the run again"
        };
    }
    return std::make_unique<GaussianMixture>(
        std::move(prior), std::vector<float>{stored.begin(), stored.end()}
    );
}

}  // namespace

extern const ModelEntry gaussian_mixture{
    .name = "gaussian_mixture",
    .summary = "a Gaussian belief for each kind of user; the kind is inferred from the events",
    .facts = Fact::uses_content,
    .options = &describe_options<MixtureOptions>,
    .fit = &fit_gaussian_mixture,
    .load = &load_gaussian_mixture,
};

}  // namespace hg::train
