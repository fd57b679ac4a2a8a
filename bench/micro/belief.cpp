// SPDX-License-Identifier: Apache-2.0
// Belief: one event (mean, and each call timed for the percentiles), a replay of fifty, scoring a
// catalogue, the uncertainty of the candidates; beside what the processor and the memory could do.
//
// observe touches the covariance three times (C v, the subtraction) and lives in L1, so its limit
// is arithmetic: 4 d^2 floating point operations. score reads item_vectors once, so its limit is
// the bandwidth that `read_bandwidth` measures on an array of the same size.
#include "policy/belief.hpp"

#include "core/rng.hpp"
#include "train/gaussian_prior.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
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

/// Every call timed alone, on beliefs of 1,000 users in turn, so that most are not in L1.
void observe_percentiles(benchmark::State& state) {
    constexpr std::size_t n_users = 1000;
    const auto dim = static_cast<std::size_t>(state.range(0));
    const auto prior = prior_of(ml_1m_items, dim);
    std::vector<hg::policy::Belief> beliefs(n_users, hg::policy::Belief{prior});
    std::vector<double> microseconds;
    std::uint32_t n = 0;
    for (auto _ : state) {
        auto& belief = beliefs[(n * 37) % n_users];
        const auto start = std::chrono::steady_clock::now();
        hg::policy::adapt(
            prior, belief, hg::ItemId{static_cast<std::uint32_t>((n * 7) % ml_1m_items)}, 1.0F
        );
        const std::chrono::duration<double, std::micro> took =
            std::chrono::steady_clock::now() - start;
        microseconds.push_back(took.count());
        ++n;
    }
    std::ranges::sort(microseconds);
    const auto at = [&](double share) {
        return microseconds[static_cast<std::size_t>(
            share * static_cast<double>(microseconds.size() - 1)
        )];
    };
    state.counters["p50_us"] = at(0.5);
    state.counters["p99_us"] = at(0.99);
    state.counters["p999_us"] = at(0.999);
    const auto& one = beliefs.front();
    const auto& posterior = one.posterior;
    state.counters["bytes"] = static_cast<double>(
        sizeof one + one.space_id.capacity() +
        (posterior.mean.capacity() + posterior.covariance.capacity()) * sizeof(float)
    );
}

BENCHMARK(observe_percentiles)->Arg(48)->Arg(64)->Iterations(200'000);

/// What the exploration knob costs after an event: sqrt(v' C v) of the retrieved candidates.
void uncertainty_of_512(benchmark::State& state) {
    const auto dim = static_cast<std::size_t>(state.range(0));
    const auto prior = prior_of(ml_1m_items, dim);
    const hg::policy::Belief belief{prior};
    for (auto _ : state) {
        float sum = 0;
        for (std::size_t item = 0; item < 512; ++item) {
            sum += prior.uncertainty(belief.posterior, item);
        }
        benchmark::DoNotOptimize(sum);
    }
}

BENCHMARK(uncertainty_of_512)->Arg(48)->Arg(64)->Unit(benchmark::kMicrosecond);

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
