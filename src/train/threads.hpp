// SPDX-License-Identifier: Apache-2.0
// set_threads: how many threads one tensor operation may use; called once, by app/, before any
// work.
#pragma once

namespace hg::train {

/// 0 = one per core, at most 8. OMP_NUM_THREADS, where set, is stronger than 0.
void set_threads(int threads);

}  // namespace hg::train
