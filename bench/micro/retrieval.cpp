// SPDX-License-Identifier: Apache-2.0
// Retrieval: the best 512 of a catalogue for one user, beside what the memory could do.
//
// The exact pass reads the table once, so its limit is the bandwidth that `read_bandwidth` measures
// on an array of the same size; `copy_bandwidth` is memcpy (bytes read and written). int8 gives the
// same answers from a quarter of the bytes; the index reads a few thousand rows wherever they lie.
// Vectors: a low-rank cloud with popular (long) rows, as matrix factorisation makes them.
#include "core/dot.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "core/top_k.hpp"
#include "serve/vector_index.hpp"
#include "serve/vector_table.hpp"

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace {

using hg::Matrix;
using hg::serve::ItemPrecision;
using hg::serve::VectorTable;

constexpr std::size_t dim = 64;
constexpr std::size_t kept = 512;

Matrix<float> vectors_of(std::size_t n, std::uint64_t seed) {
    hg::Rng rng{seed};
    constexpr std::size_t n_centres = 64;
    Matrix<float> centres(n_centres, dim);
    for (auto& x : centres.values()) {
        x = static_cast<float>(rng.normal());
    }
    Matrix<float> made(n, dim);
    for (std::size_t row = 0; row < n; ++row) {
        const auto centre = centres.row(rng.below(n_centres));
        const auto length = static_cast<float>(std::exp(0.5 * rng.normal()));
        for (std::size_t i = 0; i < dim; ++i) {
            made(row, i) = length * (centre[i] + 0.5F * static_cast<float>(rng.normal()));
        }
    }
    return made;
}

std::size_t items_of(const benchmark::State& state) {
    return static_cast<std::size_t>(state.range(0));
}

void set_bytes(benchmark::State& state, std::size_t bytes) {
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void read_bandwidth(benchmark::State& state) {
    const auto items = vectors_of(items_of(state), 1);
    for (auto _ : state) {
        float sums[8] = {};
        const auto values = items.values();
        for (std::size_t i = 0; i + 8 <= values.size(); i += 8) {
            for (std::size_t lane = 0; lane < 8; ++lane) {
                sums[lane] += values[i + lane];
            }
        }
        benchmark::DoNotOptimize(sums);
    }
    set_bytes(state, items.values().size_bytes());
}

void copy_bandwidth(benchmark::State& state) {
    const auto items = vectors_of(items_of(state), 1);
    std::vector<float> copy(items.values().size());
    for (auto _ : state) {
        std::memcpy(copy.data(), items.values().data(), items.values().size_bytes());
        benchmark::ClobberMemory();
    }
    set_bytes(state, 2 * items.values().size_bytes());
}

/// As it was done before: a row of all scores, then its best.
void score_row_then_top_k(benchmark::State& state) {
    const auto items = vectors_of(items_of(state), 1);
    const auto users = vectors_of(16, 2);
    std::size_t user = 0;
    for (auto _ : state) {
        std::vector<float> scores(items.rows());
        for (std::size_t row = 0; row < items.rows(); ++row) {
            scores[row] = hg::dot(items.row(row), users.row(user));
        }
        benchmark::DoNotOptimize(hg::top_k(scores, kept));
        user = (user + 1) % users.rows();
    }
    set_bytes(state, items.values().size_bytes());
}

void exact(benchmark::State& state, ItemPrecision precision) {
    const auto items = vectors_of(items_of(state), 1);
    const auto users = vectors_of(16, 2);
    const VectorTable table{items.view(), precision};
    std::size_t user = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(table.best(users.row(user), kept));
        user = (user + 1) % users.rows();
    }
    set_bytes(state, table.bytes());
}

void hnsw(benchmark::State& state) {
    const auto items = vectors_of(items_of(state), 1);
    const auto users = vectors_of(16, 2);
    hg::SilentProgress silent;
    const auto index = hg::serve::VectorIndex::build(items.view(), silent, {});
    std::size_t user = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(index.nearest(users.row(user), kept));
        user = (user + 1) % users.rows();
    }
}

constexpr std::int64_t some = 100'000;
constexpr std::int64_t many = 1'000'000;
BENCHMARK(read_bandwidth)->Arg(some)->Arg(many)->Unit(benchmark::kMillisecond);
BENCHMARK(copy_bandwidth)->Arg(some)->Arg(many)->Unit(benchmark::kMillisecond);
BENCHMARK(score_row_then_top_k)->Arg(some)->Arg(many)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(exact, float, ItemPrecision::float32)
    ->Arg(some)
    ->Arg(many)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(exact, int8, ItemPrecision::int8)
    ->Arg(some)
    ->Arg(many)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(hnsw)->Arg(some)->Unit(benchmark::kMillisecond);

}  // namespace
