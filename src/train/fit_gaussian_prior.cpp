// SPDX-License-Identifier: Apache-2.0
#include "train/fit_gaussian_prior.hpp"

#include "core/log.hpp"
#include "train/calibrate_prior.hpp"
#include "train/content_map.hpp"
#include "train/demographic_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace hg::train {
namespace {

Spread spread_of(const GaussianOptions& options) {
    return options.equal_users ? Spread::equal_users : Spread::as_they_are;
}

/// The prior as it is used: scaled, or flat for the ablation.
GaussianPosterior scaled(GaussianPosterior moments, const GaussianOptions& options) {
    const auto d = moments.dim();
    float trace = 0;
    for (std::size_t i = 0; i < d; ++i) {
        trace += moments.covariance[i * d + i];
    }
    const bool is_flat = options.prior == "flat";
    const auto flat = is_flat ? 1.0F : static_cast<float>(options.flat_share);
    for (auto& c : moments.covariance) {
        c *= 1 - flat;
    }
    for (std::size_t i = 0; i < d; ++i) {
        moments.covariance[i * d + i] += flat * trace / static_cast<float>(d);
    }
    if (is_flat) {
        std::ranges::fill(moments.mean, 0.0F);
    }
    for (auto& m : moments.mean) {
        m *= static_cast<float>(options.mean_scale);
    }
    for (auto& c : moments.covariance) {
        c *= static_cast<float>(options.prior_scale);
    }
    return moments;
}

std::map<std::string, std::vector<std::uint32_t>> users_by_segment(
    const data::Catalogue& users, const std::string& field_name, const PreferenceSpace& space
) {
    std::map<std::string, std::vector<std::uint32_t>> segments;
    if (field_name.empty()) {
        return segments;
    }
    const auto* field = users.find(field_name);
    if (field == nullptr) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("segment_field \"{}\" is not a field of the users", field_name),
            "name a column of users.csv, or leave it empty",
        };
    }
    for (const auto u : space.active) {
        if (u < users.n_rows() && field->present[u] != 0) {
            segments[field->text(u)].push_back(u);
        }
    }
    return segments;
}

/// Preferences less what their users' fields let expect.
Matrix<float> residuals(
    const PreferenceSpace& space, const DemographicMap& map, const data::InteractionLog& log
) {
    auto rest = space.users;
    for (const auto u : space.active) {
        if (const auto mean = map.mean_of(log.history(UserId{u}))) {
            for (std::size_t c = 0; c < mean->size(); ++c) {
                rest(u, c) -= (*mean)[c];
            }
        }
    }
    return rest;
}

void keep_variances(GaussianPrior::Parts& parts) {
    for (auto& segment : parts.segments) {
        segment.start = segment.start.diagonal();
    }
    if (!parts.around_demographics.empty()) {
        const auto d = parts.item_vectors.cols();
        const GaussianPosterior around{
            .mean = std::vector<float>(d), .covariance = std::move(parts.around_demographics)
        };
        parts.around_demographics = around.diagonal().covariance;
    }
}

}  // namespace

GaussianPosterior scaled_moments(
    const PreferenceSpace& space,
    std::span<const std::uint32_t> users,
    float share,
    const GaussianOptions& options
) {
    const auto view = space.users.view();
    const auto own = moments_of(view, users, spread_of(options));
    if (share >= 1) {
        return scaled(own, options);
    }
    return scaled(mixed(own, moments_of(view, space.active, spread_of(options)), share), options);
}

GaussianPrior prior_in(
    const PreferenceSpace& space, const FitContext& context, const GaussianOptions& options
) {
    GaussianPrior::Parts parts;
    parts.segments.push_back({"", scaled_moments(space, space.active, 1, options)});
    const auto& users = context.dataset.user_fields;
    for (const auto& [name, members] : users_by_segment(users, options.segment_field, space)) {
        const auto n = static_cast<float>(members.size());
        const float share = n / (n + static_cast<float>(options.segment_shrinkage));
        parts.segments.push_back({name, scaled_moments(space, members, share, options)});
    }
    parts.segment_field = options.segment_field;
    if (options.demographics) {
        parts.demographics =
            fit_demographic_map(users, space, context.rng.split("demographic map"));
        const auto rest = residuals(space, parts.demographics, context.log);
        parts.around_demographics =
            scaled(moments_of(rest.view(), space.active, spread_of(options)), options).covariance;
        log::debug("demographics", {{"explained", parts.demographics.explained()}});
    }
    parts.noise_variance = space.residual * static_cast<float>(options.noise_scale);
    parts.forgetting = static_cast<float>(options.forgetting);
    if (context.content != nullptr) {
        parts.content_map = fit_content_map(
            {.content = *context.content,
             .vectors = space.items.view(),
             .n_events = space.events_of_item,
             .penalty = options.content_penalty,
             .kind = parse_content_map(options.content_map)},
            context.rng.split("content map")
        );
        log::debug(
            "content map",
            {{"penalty", parts.content_map.penalty}, {"explained", parts.content_map.explained}}
        );
    }
    parts.item_vectors = space.items;
    if (options.covariance == "diagonal") {
        keep_variances(parts);
    }
    if (options.likelihood == "choice") {
        parts.choice = draw_rivals(
            space.items.view(),
            space.events_of_item,
            static_cast<std::size_t>(options.rivals),
            static_cast<float>(options.sharpness),
            static_cast<std::size_t>(options.newton_steps),
            context.rng.split("rivals")
        );
    }
    return GaussianPrior{std::move(parts)};
}

GaussianPrior fit_gaussian_prior(const FitContext& context, const GaussianOptions& options) {
    if (options.likelihood == "choice" && options.covariance == "diagonal") {
        throw Error{
            ErrorCode::invalid_argument,
            "likelihood = choice needs the whole covariance",
            "set covariance = full, or likelihood = look",
        };
    }
    const auto chosen = options.calibrate ? calibrated(context, options) : options;
    return prior_in(fit_preference_space(context, space_options(chosen)), context, chosen);
}

}  // namespace hg::train
