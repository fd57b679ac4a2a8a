// SPDX-License-Identifier: Apache-2.0
// signals: what the knobs weigh (policy/knobs.hpp), of the candidates of one user.
//
// Uncertainty is sqrt(v' C v) of the belief; an item the model does not know is placed by its
// content, else it counts as unsure as the least sure candidate. Novelty is -log(1 + events).
// Content is the cosine with the mean content of what was liked last. Where a run has no belief or
// no content the signal is equal for all, and its knob does nothing.
#pragma once

#include "core/matrix.hpp"
#include "core/top_k.hpp"
#include "policy/knobs.hpp"
#include "serve/item_table.hpp"
#include "serve/scoring.hpp"
#include "serve/snapshot.hpp"

#include <span>
#include <vector>

namespace hg::serve {

/// One per candidate. `belief` may be null.
[[nodiscard]] std::vector<policy::Signals> signals_of(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    const policy::Belief* belief,
    std::span<const Scored> candidates
);

/// [candidates, d], of length 1 or 0, whose dot products are the likeness that diversity weighs: in the belief's
/// space, else of the content, else d = 0.
[[nodiscard]] Matrix<float> directions_of(
    const Snapshot& snapshot, std::span<const Scored> candidates
);

}  // namespace hg::serve
