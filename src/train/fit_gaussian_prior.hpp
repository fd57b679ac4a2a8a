// SPDX-License-Identifier: Apache-2.0
// fit_gaussian_prior: the outer loop in closed form: item vectors by SVD, the prior from all users.
//
// Each training user's preference (train/preference_space.hpp), then their mean and covariance: for
// everyone, and for segments, shrunk to everyone's by n_g / (n_g + shrinkage). The flat prior
// N(0, tr(Sigma)/d I) is the ablation. Deviation from a plain Bayesian reading: prior_scale and
// noise_scale, chosen on users held out (`calibrate`, train/calibrate_prior.hpp), because the noise
// averages over zeros that mean "not seen" rather than "not liked". Where users have fields,
// `demographics` makes the mean a function of them (train/demographic_map.hpp). Where items have
// content, a map from it to the vectors places items that come later (train/content_map.hpp).
#pragma once

#include "core/options.hpp"
#include "train/gaussian_prior.hpp"
#include "train/model_entry.hpp"
#include "train/preference_space.hpp"

namespace hg::train {

struct GaussianOptions {
    std::int64_t dim = 48;
    std::string prior = "meta";
    std::string covariance = "full";
    std::string likelihood = "look";
    double sharpness = 8;
    std::int64_t rivals = 256;
    std::int64_t newton_steps = 2;
    double prior_scale = 1;
    double noise_scale = 1;
    double mean_scale = 1;
    bool equal_users = false;
    double flat_share = 0;
    double forgetting = 0;
    std::string segment_field{};
    double segment_shrinkage = 50;
    bool demographics = false;
    bool calibrate = true;
    std::string content_map = "ridge";
    double content_penalty = 0;
    std::int64_t power_iterations = 12;

    static void describe(OptionBinder& bind, GaussianOptions& o) {
        bind("dim", o.dim, "width of a preference", {.min = 1, .max = 256});
        bind(
            "prior", o.prior, "learned from training users, or flat", {.choices = {"meta", "flat"}}
        );
        bind(
            "covariance",
            o.covariance,
            "what is kept of a user beside the mean: all of it, or the variances alone (d numbers "
            "instead of d^2)",
            {.choices = {"full", "diagonal"}}
        );
        bind(
            "likelihood",
            o.likelihood,
            "a liked item is a noisy look at the preference (closed form), or a choice among all "
            "items (softmax, by Laplace's approximation)",
            {.choices = {"look", "choice"}}
        );
        bind(
            "sharpness",
            o.sharpness,
            "choice: factor on the scores in the softmax",
            {.min = 1e-3, .max = 1e3}
        );
        bind("rivals", o.rivals, "choice: items drawn to stand for all", {.min = 1, .max = 100000});
        bind("newton_steps", o.newton_steps, "choice: steps per event", {.min = 1, .max = 100});
        bind(
            "prior_scale",
            o.prior_scale,
            "factor on the prior covariance",
            {.min = 1e-6, .max = 1e6}
        );
        bind("noise_scale", o.noise_scale, "factor on the event noise", {.min = 1e-6, .max = 1e6});
        bind("mean_scale", o.mean_scale, "factor on the prior mean", {.min = 0, .max = 100});
        bind(
            "equal_users",
            o.equal_users,
            "users count alike in the prior covariance, however much they did"
        );
        bind(
            "flat_share",
            o.flat_share,
            "share of the same variance in every direction in the prior covariance",
            {.min = 0, .max = 1}
        );
        bind("forgetting", o.forgetting, "covariance growth per event", {.min = 0, .max = 0.5});
        bind("segment_field", o.segment_field, "user field whose values get a prior of their own");
        bind(
            "segment_shrinkage",
            o.segment_shrinkage,
            "users at which a segment counts half",
            {.min = 0}
        );
        bind(
            "demographics",
            o.demographics,
            "prior mean from all fields of the users; the segment then only counts for users "
            "without any"
        );
        bind(
            "calibrate",
            o.calibrate,
            "choose scales, equal_users, flat_share and segment_shrinkage on users held out, where "
            "they are at their defaults"
        );
        bind(
            "content_map",
            o.content_map,
            "from content to item vectors: linear, or on a hidden layer too, learned to meet the "
            "vectors "
            "or to tell them apart",
            {.choices = {"ridge", "mlp", "contrastive"}}
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

[[nodiscard]] inline SpaceOptions space_options(const GaussianOptions& options) {
    return {
        .dim = static_cast<std::size_t>(options.dim),
        .power_iterations = static_cast<std::size_t>(options.power_iterations),
    };
}

/// What is believed of a user like these before the first event: their moments, shrunk to everyone's
/// by 1 - share, scaled as the options say.
[[nodiscard]] GaussianPosterior scaled_moments(
    const PreferenceSpace& space,
    std::span<const std::uint32_t> users,
    float share,
    const GaussianOptions& options
);

/// The prior of these options in a space that is there already; `calibrate` is not looked at.
[[nodiscard]] GaussianPrior prior_in(
    const PreferenceSpace& space, const FitContext& context, const GaussianOptions& options
);

/// Throws Error: interrupted on a stop request, invalid_argument when the log has no positive
/// events or the segment field is unknown.
[[nodiscard]] GaussianPrior fit_gaussian_prior(
    const FitContext& context, const GaussianOptions& options
);

}  // namespace hg::train
