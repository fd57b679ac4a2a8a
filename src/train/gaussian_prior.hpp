// SPDX-License-Identifier: Apache-2.0
// GaussianPrior: what we believe of a user before the first event, and the space that belief lives
// in.
//
// Preference u ~ N(mu_g, Sigma_g) of the user's segment g; an event on item i is a noisy look at
// it, y = v_i . u + e, e ~ N(0, s2 / weight). Everything after that is Bayes in closed form:
//
//   K = C v / (v' C v + s2),   m <- m + K (y - v' m),   C <- C - K (C v)'          (Kalman, 1960)
//
// or, where a choice likelihood was asked for, a liked item is a choice among all of them
// (choice_likelihood.hpp); what was passed by or disliked is a noisy look in either case.
//
// An item without events is placed by its content, v = map(c) + e, e ~ N(0, diag(r)): its score is
// less certain by m' diag(r) m + tr(diag(r) C), and by as much an event on it is a noisier look.
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
#include "train/choice_likelihood.hpp"
#include "train/content_map.hpp"
#include "train/demographic_map.hpp"
#include "train/gaussian_posterior.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::train {

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
        DemographicMap demographics{};             // empty = fields do not move the mean
        std::vector<float> around_demographics{};  // covariance around that mean
        ChoiceLikelihood choice{};                 // empty = every event is a noisy look
        ContentMap content_map;                    // empty = no content
        std::size_t n_placed = 0;  // the last rows of item_vectors come from content_map
    };

    explicit GaussianPrior(Parts parts);

    /// The belief about a user of that segment without events; an unknown segment is everyone's.
    [[nodiscard]] const GaussianPosterior& start(std::string_view segment = {}) const;

    /// The segment whose prior a user of these attributes starts from; "" = everyone's.
    [[nodiscard]] std::string_view segment_of(const data::History& history) const;

    /// What is believed of a user before the first event: by all their fields where demographics
    /// were learned and some are known, else by their segment.
    [[nodiscard]] GaussianPosterior start_of(const data::History& history) const;

    /// What is believed after all its events.
    [[nodiscard]] GaussianPosterior belief_of(const data::History& history) const;

    /// One event of preference `weight`: > 0 liked (target 1, noise s2 / weight), 0 shown and
    /// passed by (target 0, half the evidence), < 0 disliked (target -1). O(d^2), no allocation;
    /// a choice costs more (choice_likelihood.hpp).
    void observe(GaussianPosterior& belief, std::size_t item, float weight) const;
    /// The same for a vector of any origin, and nothing is forgotten; `extra_noise` is added to that
    /// of the event.
    void observe_vector(
        GaussianPosterior& belief,
        std::span<const float> item_vector,
        float weight,
        float extra_noise = 0
    ) const;

    /// log p of that event under a belief, before it is observed: what tells several beliefs apart.
    [[nodiscard]] double log_evidence(
        const GaussianPosterior& belief, std::size_t item, float weight
    ) const;

    /// out[i] = v_i . m, [n_items].
    void score(const GaussianPosterior& belief, std::span<float> out) const;
    /// The standard deviation of that score: sqrt(v_i' C v_i), more for an item placed by content.
    [[nodiscard]] float uncertainty(const GaussianPosterior& belief, std::size_t item) const;
    /// The same of several items at once.
    void uncertainties(
        const GaussianPosterior& belief, std::span<const std::uint32_t> items, std::span<float> out
    ) const;
    /// The same of an item at that place.
    [[nodiscard]] float uncertainty_at(
        const GaussianPosterior& belief, std::span<const float> item_vector
    ) const;

    /// The place of an item known only by its content; empty content_map -> all zeros.
    [[nodiscard]] std::vector<float> place(std::span<const float> content) const;
    /// This prior with items that came later behind its own, placed by content [n_new, content_dim].
    [[nodiscard]] GaussianPrior grown(MatrixView<const float> content) const;

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
    /// m' diag(r) m + tr(diag(r) C) for an item placed by content, else 0.
    [[nodiscard]] float place_variance(const GaussianPosterior& belief, std::size_t item) const;

    Parts parts_;
    std::string space_id_;
};

}  // namespace hg::train
