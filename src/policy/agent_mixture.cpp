// SPDX-License-Identifier: Apache-2.0
#include "policy/agent_mixture.hpp"

#include <algorithm>

namespace hg::policy {

void AgentMixture::act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) {
    std::vector<double> drawn(seen.size());
    std::ranges::generate(drawn, [&] { return rng.uniform(); });
    DecisionBatch theirs{seen.size(), out.slates.cols()};
    double below = 0;
    for (const auto& part : parts_) {
        part.agent->act(seen, part.mode, rng, theirs);
        for (std::size_t u = 0; u < seen.size(); ++u) {
            // The last part that begins at or below the draw has the say.
            if (drawn[u] >= below) {
                std::ranges::copy(theirs.slates.row(u), out.slates.row(u).begin());
            }
        }
        below += part.share;
    }
    propensities(seen, mode, out.slates.view(), out.propensities.view());
}

void AgentMixture::propensities(
    const ObservationBatch& seen,
    Mode /*mode*/,
    MatrixView<const std::uint32_t> slates,
    MatrixView<double> out
) {
    const auto n_slots = slates.cols();
    Matrix<double> so_far(seen.size(), n_slots);  // P(slots 0..s) of the mixture
    Matrix<double> theirs(seen.size(), n_slots);
    for (const auto& part : parts_) {
        part.agent->propensities(seen, part.mode, slates, theirs.view());
        for (std::size_t u = 0; u < seen.size(); ++u) {
            double product = part.share;
            for (std::size_t slot = 0; slot < n_slots; ++slot) {
                product *= theirs(u, slot);
                so_far(u, slot) += product;
            }
        }
    }
    for (std::size_t u = 0; u < seen.size(); ++u) {
        double above = 1;
        for (std::size_t slot = 0; slot < n_slots; ++slot) {
            out(u, slot) = above > 0 ? so_far(u, slot) / above : 0;
            above = so_far(u, slot);
        }
    }
}

}  // namespace hg::policy
