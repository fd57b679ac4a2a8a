// SPDX-License-Identifier: Apache-2.0
// bench_gate LOGS: how often the gate promotes candidates whose true worth is known, as a Markdown
// table. A difference below -2 % of the incumbent makes a promotion a false one.
#include "evaluate/gate_study.hpp"
#include "evaluate/intervals.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <span>
#include <string>

namespace {

using hg::evaluate::StudyWorld;

struct WorldRow {
    const char* name;
    double reward_scale;
    std::size_t n_rows[3];
};

constexpr WorldRow worlds[] = {
    {"frequent", 1, {2'000, 20'000, 80'000}},
    {"rare", 0.05, {20'000, 80'000, 320'000}},
};

struct CaseRow {
    const char* name;
    double relative_difference;
};

constexpr CaseRow cases[] = {
    {"5 % worse", -0.05},
    {"2.1 % worse", -0.021},
    {"equal", 0},
    {"2 % better", 0.02},
    {"10 % better", 0.1},
};

const char* usual_reason(const hg::evaluate::StudyRate& rate) {
    const auto holds = std::span{rate.reasons}.subspan(1);
    const auto most = std::ranges::max_element(holds);
    if (*most == 0) {
        return "-";
    }
    const auto reason = static_cast<hg::evaluate::HoldReason>(most - holds.begin() + 1);
    return to_string(reason).data();
}

void print_row(
    const WorldRow& world,
    const StudyWorld& made,
    std::size_t n_rows,
    const CaseRow& row,
    std::size_t n_logs
) {
    const auto rate = measure_gate(
        made, {.relative_difference = row.relative_difference, .n_rows = n_rows, .n_logs = n_logs}
    );
    const auto interval = hg::evaluate::wilson_interval(rate.promoted, rate.logs);
    const bool would_be_false = row.relative_difference < -0.02;
    std::printf(
        "| %s | %zu | %s | %.1f %% (%.1f - %.1f) | %s | %s |\n",
        world.name,
        n_rows,
        row.name,
        100.0 * static_cast<double>(rate.promoted) / static_cast<double>(rate.logs),
        100 * interval.low,
        100 * interval.high,
        would_be_false ? "false" : "right",
        usual_reason(rate)
    );
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t n_logs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
    if (argc > 2 || n_logs == 0) {
        std::fprintf(stderr, "usage: bench_gate [LOGS]\n");
        return 2;
    }
    std::printf(
        "| rewards | rows of the log | candidate | promoted | a promotion is | usual hold |\n"
    );
    std::printf("|---|---|---|---|---|---|\n");
    for (const auto& world : worlds) {
        const StudyWorld made{{.reward_scale = world.reward_scale}};
        for (const std::size_t n_rows : world.n_rows) {
            for (const auto& row : cases) {
                print_row(world, made, n_rows, row, n_logs);
            }
        }
    }
    return 0;
}
