// SPDX-License-Identifier: Apache-2.0
// calibrated: the scales of a Gaussian prior, chosen on users held out from its fit.
//
// A fifth of the users (at most 400, fewer of a catalogue beyond 50,000 items) is held out, the space fitted on the others. Ranking decides
// what ranking can tell: the ratio of noise to prior, the shape of the covariance, the scale of the
// mean and the shrinkage of segments are chosen one after the other, twice over, by NDCG@10 of the next ten items after 0, 1,
// 2, 5 and 10 events, averaged. Rankings do not change when noise and prior grow by one factor; that
// factor makes the squared error of the held-out cells equal to what the belief expects of them. What is set
// to something else than its default stays as it is.
//
//   const GaussianOptions chosen = calibrated(context, options);
#pragma once

#include "train/fit_gaussian_prior.hpp"
#include "train/model_entry.hpp"

namespace hg::train {

/// `options` with other scales; unchanged where fewer than 20 users can be held out.
[[nodiscard]] GaussianOptions calibrated(const FitContext& context, GaussianOptions options);

}  // namespace hg::train
