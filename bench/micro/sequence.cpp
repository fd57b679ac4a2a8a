// SPDX-License-Identifier: Apache-2.0
// The pass of a sequence model: what one user costs alone, and what a user costs among others.
//
//   HG_SEQUENCE_RUN=runs/sasrec build/release/bench_sequence
//
// HG_SEQUENCE_RUN is a run of `train --model sasrec` or hstu; histories are drawn from its items. The difference
// between a user alone and a user among 32 is all that batching requests could save.
#include "core/rng.hpp"
#include "train/run.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

const hg::train::Recommender& model() {
    static const auto run = [] {
        const char* folder = std::getenv("HG_SEQUENCE_RUN");
        return hg::train::load_run(folder == nullptr ? "runs/sasrec" : folder);
    }();
    return *run.model;
}

/// Time is of the whole batch; items a second are users a second.
void user_vectors(benchmark::State& state) {
    const auto n_users = static_cast<std::size_t>(state.range(0));
    const auto n_events = static_cast<std::size_t>(state.range(1));
    hg::Rng rng{7};
    std::vector<hg::data::HistoryBuffer> buffers(n_users);
    std::vector<hg::data::History> histories;
    for (auto& buffer : buffers) {
        for (std::size_t i = 0; i < n_events; ++i) {
            buffer.add(hg::ItemId{static_cast<std::uint32_t>(rng.below(model().n_items()))});
        }
        histories.push_back(buffer.view());
    }
    hg::Matrix<float> vectors(n_users, model().item_vectors()->cols());
    for (auto _ : state) {
        model().user_vectors(histories, vectors.view());
        benchmark::DoNotOptimize(vectors.values().data());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(n_users) * state.iterations());
}

BENCHMARK(user_vectors)
    ->ArgNames({"users", "events"})
    ->ArgsProduct({{1, 8, 32}, {10, 50, 200}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
