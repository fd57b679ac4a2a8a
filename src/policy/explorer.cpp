// SPDX-License-Identifier: Apache-2.0
#include "policy/explorer.hpp"

#include "policy/slate_rule.hpp"

#include <algorithm>
#include <vector>

namespace hg::policy {

Explorer::Explorer(Agent& agent, const simulate::EnvironmentFacts& world, double epsilon)
    : agent_(agent), epsilon_(epsilon) {
    for (std::size_t slot = 0; slot < world.slate_size; ++slot) {
        uniform_ /= static_cast<double>(world.n_candidates - slot);
    }
}

void Explorer::act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) {
    agent_.act(seen, mode, rng, out);
    SlateDrawer uniform{{.draw = SlateDraw::softmax}};
    const std::vector<float> scores(seen.item_ids.cols());
    for (std::size_t u = 0; u < seen.size(); ++u) {
        if (rng.uniform() < epsilon_) {
            uniform.draw(scores, rng, out.slates.row(u), out.propensities.row(u));
        }
    }
    propensities(seen, mode, std::as_const(out.slates).view(), out.propensities.view());
}

void Explorer::propensities(
    const ObservationBatch& seen,
    Mode mode,
    MatrixView<const std::uint32_t> slates,
    MatrixView<double> out
) {
    agent_.propensities(seen, mode, slates, out);
    for (std::size_t u = 0; u < slates.rows(); ++u) {
        double whole = 1;
        for (const double factor : out.row(u)) {
            whole *= factor;
        }
        // The slate is drawn as one: its whole probability is written to the first slot.
        std::ranges::fill(out.row(u), 1.0);
        out(u, 0) = (1 - epsilon_) * whole + epsilon_ * uniform_;
    }
}

}  // namespace hg::policy
