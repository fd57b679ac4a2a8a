// SPDX-License-Identifier: Apache-2.0
#include "policy/scored_agent.hpp"

namespace hg::policy {

void ScoredAgent::act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) {
    const auto scored = scores(seen, mode);
    for (std::size_t u = 0; u < seen.size(); ++u) {
        drawer_.draw(scored.row(u), rng, out.slates.row(u), out.propensities.row(u));
    }
}

void ScoredAgent::propensities(
    const ObservationBatch& seen,
    Mode mode,
    MatrixView<const std::uint32_t> slates,
    MatrixView<double> out
) {
    const auto scored = scores(seen, mode);
    for (std::size_t u = 0; u < seen.size(); ++u) {
        drawer_.propensities(scored.row(u), slates.row(u), out.row(u));
    }
}

MatrixView<const float> ScoredAgent::scores(const ObservationBatch& seen, Mode mode) {
    if (scores_.rows() != seen.size()) {
        scores_ = Matrix<float>(seen.size(), world_.n_candidates);
    }
    score(seen, mode, scores_.view());
    drawer_.set_rule(rule(mode));
    return scores_.view();
}

}  // namespace hg::policy
