// SPDX-License-Identifier: Apache-2.0
// fit_gaussian_prior: the outer loop in closed form: item vectors by SVD, the prior from all users.
//
// X = users x items, 1 where liked. Truncated SVD X ~ U S V', V <- V sqrt(S); each user's
// preference by ridge, W = X V (V'V + 1e-3 I)^-1; mu = mean W, Sigma = cov W + 1e-4 I, s2 = mean (X
// - W V')^2. Segments are shrunk to everyone's prior by n_g / (n_g + shrinkage). The flat prior
// N(0, tr(Sigma)/d I) is the ablation. Deviation from a plain Bayesian reading: prior_scale and
// noise_scale, chosen on validation, because s2 averages over zeros that mean "not seen" rather
// than "not liked".
#pragma once

#include "core/options.hpp"
#include "train/gaussian_prior.hpp"
#include "train/model_entry.hpp"

namespace hg::train {

struct GaussianOptions {
    std::int64_t dim = 48;
    std::string prior = "meta";
    double prior_scale = 1;
    double noise_scale = 1;
    double mean_scale = 1;
    double forgetting = 0;
    std::string segment_field;
    double segment_shrinkage = 50;
    std::int64_t power_iterations = 12;

    static void describe(OptionBinder& bind, GaussianOptions& o) {
        bind("dim", o.dim, "width of a preference", {.min = 1, .max = 256});
        bind(
            "prior", o.prior, "learned from training users, or flat", {.choices = {"meta", "flat"}}
        );
        bind(
            "prior_scale",
            o.prior_scale,
            "factor on the prior covariance",
            {.min = 1e-6, .max = 1e6}
        );
        bind("noise_scale", o.noise_scale, "factor on the event noise", {.min = 1e-6, .max = 1e6});
        bind("mean_scale", o.mean_scale, "factor on the prior mean", {.min = 0, .max = 100});
        bind("forgetting", o.forgetting, "covariance growth per event", {.min = 0, .max = 0.5});
        bind("segment_field", o.segment_field, "user field whose values get a prior of their own");
        bind(
            "segment_shrinkage",
            o.segment_shrinkage,
            "users at which a segment counts half",
            {.min = 0}
        );
        bind(
            "power_iterations",
            o.power_iterations,
            "subspace iterations of the SVD",
            {.min = 1, .max = 100}
        );
    }
};

/// Throws Error: interrupted on a stop request, invalid_argument when the log has no positive
/// events or the segment field is unknown.
[[nodiscard]] GaussianPrior fit_gaussian_prior(
    const FitContext& context, const GaussianOptions& options
);

}  // namespace hg::train
