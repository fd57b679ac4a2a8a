// SPDX-License-Identifier: Apache-2.0
// GradientPlan: what tells the learners by gradient descent apart.
#pragma once

#include <cstdint>

namespace hg::policy {

enum class OuterStep : std::uint8_t {
    through_inner,       // gradient of the queries' loss through the inner steps
    through_last_point,  // the same gradient, taken as if the steps did not depend on theta
    towards_adapted,     // Reptile: move to where the inner steps end
    pooled,              // no tasks: all events of all users at once
};

enum class Adapted : std::uint8_t { all, head };
enum class Rates : std::uint8_t { fixed, learned };

struct GradientPlan {
    OuterStep outer = OuterStep::through_inner;
    Adapted adapted = Adapted::all;
    Rates rates = Rates::fixed;
};

}  // namespace hg::policy
