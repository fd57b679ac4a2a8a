// SPDX-License-Identifier: Apache-2.0
#include "policy/explorer.hpp"

#include "policy/slate_rule.hpp"

#include <algorithm>
#include <vector>

namespace hg::policy {

Explorer::Explorer(Agent& agent, double epsilon) : agent_(agent), epsilon_(epsilon) {}

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
        // The slate is drawn whole by one of two, so a factor is the ratio of two prefixes.
        double of_agent = 1 - epsilon_;
        double of_uniform = epsilon_;
        double above = 1;
        auto left = static_cast<double>(seen.item_ids.cols());
        for (double& factor : out.row(u)) {
            of_agent *= factor;
            of_uniform /= left;
            left -= 1;
            const double prefix = of_agent + of_uniform;
            factor = above > 0 ? prefix / above : 0;
            above = prefix;
        }
    }
}

}  // namespace hg::policy
