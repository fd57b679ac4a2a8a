// SPDX-License-Identifier: Apache-2.0
// LeaveRule: any world in which users walk away when bored: a wrapper.
//
// Two rules of the simulators KuaiSim (Zhao et al., 2023) and EasyRL4Rec (Yu et al., 2024):
//   * similarity: the user leaves when more than `max_similar` of the last `window` items shown lie
//     within `similar_distance` (Euclidean) of an item of the new slate;
//   * temper: it starts at `temper` and falls at every step by `temper_cost` minus the share of
//     slots clicked; the user leaves when it is spent.
// Deviation: KuaiSim draws its temper's loss from a discretised reward; ours is the share itself.
//
//   auto world = with_leave_rule(make_world("linear_bandit"), {.max_similar = 3});
#pragma once

#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <cstdint>
#include <memory>

namespace hg::simulate {

struct LeaveOptions {
    std::int64_t window = 10;
    std::int64_t max_similar = 0;
    double similar_distance = 1e-6;
    double temper = 0;
    double temper_cost = 1;

    [[nodiscard]] bool is_off() const noexcept { return max_similar <= 0 && temper <= 0; }

    static void describe(OptionBinder& bind, LeaveOptions& o) {
        bind("window", o.window, "how many shown items a user remembers", {.min = 1, .max = 1000});
        bind(
            "max_similar",
            o.max_similar,
            "leaves when more than this many remembered items resemble one shown; 0 = never",
            {.min = 0, .max = 1000}
        );
        bind(
            "similar_distance",
            o.similar_distance,
            "items closer than this resemble each other",
            {.min = 0, .max = 1e6}
        );
        bind("temper", o.temper, "patience at the start; 0 = endless", {.min = 0, .max = 1e6});
        bind("temper_cost", o.temper_cost, "patience a step costs", {.min = 0, .max = 100});
    }
};

[[nodiscard]] std::unique_ptr<Environment> with_leave_rule(
    std::unique_ptr<Environment> world, const LeaveOptions& options
);

}  // namespace hg::simulate
