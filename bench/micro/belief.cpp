// SPDX-License-Identifier: Apache-2.0
// Belief: one event, a replay of fifty, scoring a catalogue; beside what the processor and the
// memory could do.
//
// observe touches the covariance three times (C v, the subtraction) and lives in L1, so its limit
// is arithmetic: 4 d^2 floating point operations. score reads item_vectors once, so its limit is
// the bandwidth that `read_bandwidth` measures on an array of the same size.
#include "policy/belief.hpp"

#include "core/rng.hpp"
#include "train/gaussian_prior.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace {

using hg::train::GaussianPrior;

constexpr std::size_t ml_1m_items = 3706;

GaussianPrior prior_of(std::size_t n_items, std::size_t dim) {
    hg::Rng rng{1};
    GaussianPrior::Parts parts;
    parts.item_vectors = hg::Matrix<float>(n_items, dim);
    for (std::size_t item = 0; item < n_items; ++item) {
        for (auto& x : parts.item_vectors.row(item)) {
            x = static_cast<float>(rng.normal());
        }
    }
    hg::train::GaussianPosterior start;
    start.mean.assign(dim, 0.1F);
    start.covariance.assign(dim * dim, 0.0F);
    for (std::size_t i = 0; i < dim; ++i) {
        start.covariance[i * dim + i] = 1.0F;
    }
    parts.segments.push_back({.name = "", .start = start});
    return GaussianPrior{std::move(parts)};
}

void observe(benchmark::State& state) {
    const auto dim = static_cast<std::size_t>(state.range(0));
    const auto prior = prior_of(ml_1m_items, dim);
    hg::policy::Belief belief{prior};
    std::uint32_t item = 0;
    for (auto _ : state) {
        hg::policy::adapt(prior, belief, hg::ItemId{item}, 1.0F);
        item = (item + 7) % ml_1m_items;
        benchmark::DoNotOptimize(belief.posterior.mean.data());
    }
    state.counters["flop/s"] = benchmark::Counter(
        static_cast<double>(4 * dim * dim), benchmark::Counter::kIsIterationInvariantRate
    );
}

BENCHMARK(observe)->Arg(16)->Arg(32)->Arg(48)->Arg(64);

void replay_50_events(benchmark::State& state) {
    const auto prior = prior_of(ml_1m_items, 48);
    std::vector<hg::ItemId> items;
    for (std::uint32_t i = 0; i < 50; ++i) {
        items.push_back(hg::ItemId{i * 31});
    }
    hg::data::History history;
    history.items = items;
    for (auto _ : state) {
        benchmark::DoNotOptimize(hg::policy::Belief::replay(prior, history));
    }
}

BENCHMARK(replay_50_events);

void score_all_items(benchmark::State& state) {
    const auto n_items = static_cast<std::size_t>(state.range(0));
    const auto prior = prior_of(n_items, 48);
    const hg::policy::Belief belief{prior};
    std::vector<float> out(n_items);
    for (auto _ : state) {
        prior.score(belief.posterior, out);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(
        state.iterations() * static_cast<std::int64_t>(n_items * 48 * sizeof(float))
    );
}

BENCHMARK(score_all_items)
    ->Arg(ml_1m_items)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMicrosecond);

void read_bandwidth(benchmark::State& state) {
    const std::vector<std::uint64_t> words(
        static_cast<std::size_t>(state.range(0)) * 48 * sizeof(float) / sizeof(std::uint64_t), 1
    );
    for (auto _ : state) {
        benchmark::DoNotOptimize(std::reduce(words.begin(), words.end(), std::uint64_t{0}));
    }
    state.SetBytesProcessed(
        state.iterations() * static_cast<std::int64_t>(words.size() * sizeof(std::uint64_t))
    );
}

BENCHMARK(read_bandwidth)
    ->Arg(ml_1m_items)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMicrosecond);

}  // namespace
