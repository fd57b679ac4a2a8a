// SPDX-License-Identifier: Apache-2.0
// threads: how many threads tensor work and our own loops may use; set once, by app/, before any
// work.
//
//   parallel_blocks(n_users, 64, [&](std::size_t begin, std::size_t end) { ... });
#pragma once

#include <cstddef>
#include <functional>

namespace hg::train {

/// 0 = one per core, at most 8. OMP_NUM_THREADS, where set, is stronger than 0.
void set_threads(int threads);

/// Calls `work` for [0, n) cut into blocks, on as many threads as set; returns when all are done
/// and rethrows the first exception. Blocks must not depend on each other.
void parallel_blocks(
    std::size_t n,
    std::size_t block,
    const std::function<void(std::size_t begin, std::size_t end)>& work
);

}  // namespace hg::train
