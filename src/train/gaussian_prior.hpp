// SPDX-License-Identifier: Apache-2.0
// GaussianPrior: what we believe of a user before the first event, and the space that belief lives
// in.
//
// Preference u ~ N(mu_g, Sigma_g) of the user's segment g; an event on item i is a noisy look at
// it, y = v_i . u + e, e ~ N(0, s2 / weight). Everything after that is Bayes in closed form:
//
//   K = C v / (v' C v + s2),   m <- m + K (y - v' m),   C <- C - K (C v)'          (Kalman, 1960)
//
// Torch-free and const-safe, so that the server updates a belief in about a microsecond.
//
//   GaussianPosterior belief = prior.start();
//   prior.observe(belief, item_row, 1.0F);
//   prior.score(belief, out);                                        // v . m for every item
#pragma once

#include "core/matrix.hpp"
#include "core/safetensors.hpp"
#include "data/history.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::train {

/// Mean and covariance of one user's preference. Plain data: copy it, store it, throw it away.
struct GaussianPosterior {
    std::vector<float> mean;        // [d]
    std::vector<float> covariance;  // [d, d] row major, symmetric

    [[nodiscard]] std::size_t dim() const noexcept { return mean.size(); }
};

class GaussianPrior {
  public:
    struct Segment {
        std::string name;  // value of the segment field, "" = everyone
        GaussianPosterior start;
    };

    /// The parts of a prior; segments[0] is everyone's.
    struct Parts {
        Matrix<float> item_vectors;  // [n_items, d]
        std::vector<Segment> segments;
        std::string segment_field;  // the attribute of users that names their segment
        float noise_variance = 1;   // s2 of an event of weight 1
        float forgetting = 0;       // covariance grows by 1 / (1 - forgetting) before each event
        Matrix<float> content_map;  // [content_dim, d], empty = no content
    };

    explicit GaussianPrior(Parts parts);

    /// The belief about a user of that segment without events; an unknown segment is everyone's.
    [[nodiscard]] const GaussianPosterior& start(std::string_view segment = {}) const;

    /// The segment whose prior a user of these attributes starts from; "" = everyone's.
    [[nodiscard]] std::string_view segment_of(const data::History& history) const;

    /// One event of preference `weight`: > 0 liked (target 1, noise s2 / weight), 0 shown and
    /// passed by (target 0, half the evidence), < 0 disliked (target -1). O(d^2), no allocation.
    void observe(GaussianPosterior& belief, std::size_t item, float weight) const;
    void observe_vector(GaussianPosterior& belief, std::span<const float> item_vector, float weight)
        const;

    /// out[i] = v_i . m, [n_items].
    void score(const GaussianPosterior& belief, std::span<float> out) const;
    /// sqrt(v_i' C v_i): how unsure we are of that score.
    [[nodiscard]] float uncertainty(const GaussianPosterior& belief, std::size_t item) const;
    /// The same of an item at that place.
    [[nodiscard]] float uncertainty_at(
        const GaussianPosterior& belief, std::span<const float> item_vector
    ) const;

    /// The place of an item known only by its content; empty content_map -> all zeros.
    [[nodiscard]] std::vector<float> place(std::span<const float> content) const;

    [[nodiscard]] std::size_t n_items() const noexcept { return parts_.item_vectors.rows(); }

    [[nodiscard]] std::size_t dim() const noexcept { return parts_.item_vectors.cols(); }

    [[nodiscard]] const Parts& parts() const noexcept { return parts_; }

    /// Names the space: a belief made in another one must be rebuilt by replay.
    [[nodiscard]] const std::string& space_id() const noexcept { return space_id_; }

    void save(SafetensorsWriter& weights, const std::string& prefix) const;
    [[nodiscard]] static GaussianPrior load(
        const SafetensorsFile& weights, const std::string& prefix
    );

  private:
    Parts parts_;
    std::string space_id_;
};

}  // namespace hg::train
