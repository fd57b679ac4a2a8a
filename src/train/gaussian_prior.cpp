// SPDX-License-Identifier: Apache-2.0
#include "train/gaussian_prior.hpp"

#include "core/digest.hpp"
#include "core/dot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace hg::train {
namespace {

constexpr std::size_t max_dim = 256;

/// What an event of that weight says: liked (1), passed by (0, half the evidence) or disliked (-1).
struct Look {
    float target = 0;
    float evidence = 1;
};

Look look_of(float weight) {
    constexpr float passed_by_evidence = 0.5F;
    return {
        .target = weight > 0   ? 1.0F
                  : weight < 0 ? -1.0F
                               : 0.0F,
        .evidence = weight == 0 ? passed_by_evidence : std::abs(weight),
    };
}

std::vector<float> copy_of(std::span<const float> values) {
    return {values.begin(), values.end()};
}

Matrix<float> copy_of(MatrixView<const float> values) {
    Matrix<float> copy(values.rows(), values.cols());
    std::copy_n(values.data(), values.rows() * values.cols(), copy.values().begin());
    return copy;
}

/// Runs of before offset and variance were stored have neither: through the origin, certain.
ContentMap load_content_map(
    const SafetensorsFile& weights, const std::string& prefix, std::size_t dim
) {
    ContentMap map;
    map.weights = copy_of(value_or_throw(weights.matrix<float>(prefix + "content_map")));
    map.offset.assign(dim, 0.0F);
    map.variance.assign(dim, 0.0F);
    if (weights.contains(prefix + "content_offset")) {
        map.offset = copy_of(value_or_throw(weights.values<float>(prefix + "content_offset")));
        map.variance = copy_of(value_or_throw(weights.values<float>(prefix + "content_variance")));
    }
    if (weights.contains(prefix + "content_hidden")) {
        map.features = {
            .weights = copy_of(value_or_throw(weights.matrix<float>(prefix + "content_hidden"))),
            .offset =
                copy_of(value_or_throw(weights.values<float>(prefix + "content_hidden_offset"))),
        };
        const auto scale = value_or_throw(weights.values<float>(prefix + "content_hidden_scale"));
        map.features.scale = scale.size() == 1 ? scale[0] : 0;  // 0 does not fit
    }
    const auto& hidden = map.features;
    const bool fits =
        hidden.empty() || (hidden.scale > 0 && hidden.weights.cols() == hidden.offset.size() &&
                           hidden.weights.rows() + hidden.offset.size() == map.weights.rows());
    if (!fits || map.weights.cols() != dim || map.offset.size() != dim ||
        map.variance.size() != dim) {
        throw Error{
            ErrorCode::corrupt,
            "the content map of the gaussian prior does not fit its item vectors",
            "train the run again",
        };
    }
    return map;
}

/// Of all that an update of a belief depends on: equal vectors with another noise are another space.
std::string digest_of(const GaussianPrior::Parts& parts) {
    Digest digest;
    const auto add = [&digest](std::span<const float> numbers) {
        digest.update(std::as_bytes(numbers));
    };
    add(parts.item_vectors.values());
    for (const auto& segment : parts.segments) {
        digest.update(segment.name);
        add(segment.start.mean);
        add(segment.start.covariance);
    }
    add(parts.around_demographics);
    add(std::array{parts.noise_variance, parts.forgetting});
    add(parts.choice.rivals.values());
    add(parts.choice.log_weights);
    if (!parts.choice.empty()) {
        add(std::array{parts.choice.sharpness, static_cast<float>(parts.choice.steps)});
    }
    constexpr std::size_t short_id = 16;
    return digest.hex().substr(0, short_id);
}

}  // namespace

GaussianPrior::GaussianPrior(Parts parts) : parts_(std::move(parts)) {
    HG_CHECK(!parts_.segments.empty(), "a prior needs at least the segment of everyone");
    HG_CHECK(dim() <= max_dim, "beliefs are at most 256 wide");
    for (const auto& segment : parts_.segments) {
        HG_CHECK(segment.start.dim() == dim(), "segment and item vectors differ in width");
    }
    space_id_ = digest_of(parts_);
}

const GaussianPosterior& GaussianPrior::start(std::string_view segment) const {
    const auto found = std::ranges::find(parts_.segments, segment, &Segment::name);
    return found == parts_.segments.end() ? parts_.segments.front().start : found->start;
}

std::string_view GaussianPrior::segment_of(const data::History& history) const {
    if (parts_.segment_field.empty()) {
        return {};
    }
    const auto value = history.attribute(parts_.segment_field);
    const auto found = std::ranges::find(parts_.segments, value, &Segment::name);
    return found == parts_.segments.end() ? std::string_view{} : found->name;
}

GaussianPosterior GaussianPrior::start_of(const data::History& history) const {
    if (auto mean = parts_.demographics.mean_of(history)) {
        return {.mean = std::move(*mean), .covariance = parts_.around_demographics};
    }
    return start(segment_of(history));
}

GaussianPosterior GaussianPrior::belief_of(const data::History& history) const {
    auto belief = start_of(history);
    for (std::size_t i = 0; i < history.size(); ++i) {
        observe(belief, history.items[i].index(), history.weight(i));
    }
    return belief;
}

void GaussianPrior::observe(GaussianPosterior& belief, std::size_t item, float weight) const {
    const auto extra_noise = place_variance(belief, item);
    if (parts_.forgetting > 0) {
        belief.forget(parts_.forgetting);
    }
    observe_vector(belief, parts_.item_vectors.row(item), weight, extra_noise);
}

void GaussianPrior::observe_vector(
    GaussianPosterior& belief, std::span<const float> item_vector, float weight, float extra_noise
) const {
    const auto d = dim();
    HG_CHECK(item_vector.size() == d && belief.dim() == d, "belief and item differ in width");
    const auto [target, evidence] = look_of(weight);
    if (weight > 0 && !parts_.choice.empty()) {
        parts_.choice.observe(belief, item_vector, weight);
        return;
    }
    std::array<float, max_dim> buffer{};
    const std::span<float> cv{buffer.data(), d};
    belief.multiply(item_vector, cv);
    const float gain = 1 / (dot(item_vector, cv) + parts_.noise_variance / evidence + extra_noise);
    const float surprise = target - dot(item_vector, belief.mean);
    for (std::size_t r = 0; r < d; ++r) {
        belief.mean[r] += gain * cv[r] * surprise;
    }
    belief.shrink(cv, gain);
}

double GaussianPrior::log_evidence(const GaussianPosterior& belief, std::size_t item, float weight)
    const {
    const auto [target, evidence] = look_of(weight);
    const double deviation = uncertainty(belief, item);
    const double variance =
        deviation * deviation + static_cast<double>(parts_.noise_variance / evidence);
    const double error = target - dot(parts_.item_vectors.row(item), belief.mean);
    return -0.5 * (error * error / variance + std::log(2 * std::numbers::pi * variance));
}

void GaussianPrior::score(const GaussianPosterior& belief, std::span<float> out) const {
    HG_CHECK(out.size() == n_items() && belief.dim() == dim(), "scores and items differ in number");
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = dot(parts_.item_vectors.row(i), belief.mean);
    }
}

float GaussianPrior::uncertainty(const GaussianPosterior& belief, std::size_t item) const {
    const float of_preference = uncertainty_at(belief, parts_.item_vectors.row(item));
    return std::sqrt(of_preference * of_preference + place_variance(belief, item));
}

void GaussianPrior::uncertainties(
    const GaussianPosterior& belief, std::span<const std::uint32_t> items, std::span<float> out
) const {
    Matrix<float> vectors(items.size(), dim());
    for (std::size_t i = 0; i < items.size(); ++i) {
        std::ranges::copy(parts_.item_vectors.row(items[i]), vectors.row(i).begin());
    }
    belief.variances_of(std::as_const(vectors).view(), out);
    for (std::size_t i = 0; i < items.size(); ++i) {
        out[i] = std::sqrt(std::max(0.0F, out[i]) + place_variance(belief, items[i]));
    }
}

float GaussianPrior::uncertainty_at(
    const GaussianPosterior& belief, std::span<const float> item_vector
) const {
    std::array<float, max_dim> buffer{};
    const std::span<float> cv{buffer.data(), dim()};
    belief.multiply(item_vector, cv);
    return std::sqrt(std::max(0.0F, dot(item_vector, cv)));
}

std::vector<float> GaussianPrior::place(std::span<const float> content) const {
    return parts_.content_map.empty() ? std::vector<float>(dim(), 0.0F)
                                      : parts_.content_map.place(content);
}

GaussianPrior GaussianPrior::grown(MatrixView<const float> content) const {
    Parts parts = parts_;
    parts.item_vectors = Matrix<float>(n_items() + content.rows(), dim());
    std::ranges::copy(parts_.item_vectors.values(), parts.item_vectors.values().begin());
    for (std::size_t i = 0; i < content.rows(); ++i) {
        std::ranges::copy(place(content.row(i)), parts.item_vectors.row(n_items() + i).begin());
    }
    parts.n_placed += content.rows();
    return GaussianPrior{std::move(parts)};
}

float GaussianPrior::place_variance(const GaussianPosterior& belief, std::size_t item) const {
    const auto& r = parts_.content_map.variance;
    if (item + parts_.n_placed < n_items() || r.empty()) {
        return 0;
    }
    float sum = 0;
    for (std::size_t i = 0; i < r.size(); ++i) {
        sum += r[i] * (belief.mean[i] * belief.mean[i] + belief.variance(i));
    }
    return sum;
}

void GaussianPrior::save(SafetensorsWriter& weights, const std::string& prefix) const {
    const auto n_segments = parts_.segments.size();
    Matrix<float> means(n_segments, dim());
    Matrix<float> covariances(n_segments, parts_.segments.front().start.covariance.size());
    std::vector<std::string> names;
    for (std::size_t s = 0; s < n_segments; ++s) {
        const auto& segment = parts_.segments[s];
        names.push_back(segment.name);
        std::ranges::copy(segment.start.mean, means.row(s).begin());
        std::ranges::copy(segment.start.covariance, covariances.row(s).begin());
    }
    weights.add<float>(prefix + "item_vectors", parts_.item_vectors.view());
    weights.add<float>(prefix + "segment_means", std::as_const(means).view());
    weights.add<float>(prefix + "segment_covariances", std::as_const(covariances).view());
    weights.add_strings(prefix + "segment_names", names);
    weights.add_strings(prefix + "segment_field", std::array{parts_.segment_field});
    const std::array scalars{parts_.noise_variance, parts_.forgetting};
    weights.add<float>(prefix + "noise_and_forgetting", std::span<const float>{scalars});
    if (!parts_.demographics.empty()) {
        parts_.demographics.save(weights, prefix);
        weights.add<float>(prefix + "around_demographics", std::span{parts_.around_demographics});
    }
    if (const auto& map = parts_.content_map; !map.empty()) {
        weights.add<float>(prefix + "content_map", map.weights.view());
        weights.add<float>(prefix + "content_offset", std::span{map.offset});
        if (!map.features.empty()) {
            weights.add<float>(prefix + "content_hidden", map.features.weights.view());
            weights.add<float>(prefix + "content_hidden_offset", std::span{map.features.offset});
            const std::array scale{map.features.scale};
            weights.add<float>(prefix + "content_hidden_scale", std::span<const float>{scale});
        }
        weights.add<float>(prefix + "content_variance", std::span{map.variance});
    }
    parts_.choice.save(weights, prefix);
    weights.add<std::uint64_t>(prefix + "n_placed", std::vector{std::uint64_t{parts_.n_placed}});
}

GaussianPrior GaussianPrior::load(const SafetensorsFile& weights, const std::string& prefix) {
    Parts parts;
    parts.item_vectors = copy_of(value_or_throw(weights.matrix<float>(prefix + "item_vectors")));
    const auto means = value_or_throw(weights.matrix<float>(prefix + "segment_means"));
    const auto covariances = value_or_throw(weights.matrix<float>(prefix + "segment_covariances"));
    const auto names = value_or_throw(weights.strings(prefix + "segment_names"));
    const auto scalars = value_or_throw(weights.values<float>(prefix + "noise_and_forgetting"));
    const auto d = parts.item_vectors.cols();
    if (names.empty() || means.rows() != names.size() || covariances.rows() != names.size() ||
        means.cols() != d || (covariances.cols() != d * d && covariances.cols() != d) ||
        scalars.size() != 2 || d > max_dim) {
        throw Error{
            ErrorCode::corrupt,
            "weights of the gaussian prior do not fit together",
            "train the run again",
        };
    }
    for (std::size_t s = 0; s < names.size(); ++s) {
        parts.segments.push_back(
            {std::string{names[s]}, {copy_of(means.row(s)), copy_of(covariances.row(s))}}
        );
    }
    if (weights.contains(prefix + "segment_field.bytes")) {
        const auto field = value_or_throw(weights.strings(prefix + "segment_field"));
        parts.segment_field = field.empty() ? std::string{} : std::string{field.front()};
    }
    parts.noise_variance = scalars[0];
    parts.forgetting = scalars[1];
    parts.demographics = DemographicMap::load(weights, prefix, d);
    if (!parts.demographics.empty()) {
        parts.around_demographics =
            copy_of(value_or_throw(weights.values<float>(prefix + "around_demographics")));
        if (parts.around_demographics.size() != covariances.cols()) {
            throw Error{
                ErrorCode::corrupt,
                "around_demographics of the gaussian prior is no covariance of its width",
                "train the run again",
            };
        }
    }
    if (weights.contains(prefix + "content_map")) {
        parts.content_map = load_content_map(weights, prefix, d);
    }
    parts.choice = ChoiceLikelihood::load(weights, prefix, d);
    if (!parts.choice.empty() && d > 1 && covariances.cols() == d) {
        throw Error{
            ErrorCode::corrupt,
            "the gaussian prior has a choice likelihood and no whole covariance",
            "train the run again",
        };
    }
    if (weights.contains(prefix + "n_placed")) {
        const auto n = value_or_throw(weights.values<std::uint64_t>(prefix + "n_placed"));
        parts.n_placed = n.empty() ? 0 : static_cast<std::size_t>(n.front());
    }
    return GaussianPrior{std::move(parts)};
}

}  // namespace hg::train
