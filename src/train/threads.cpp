// SPDX-License-Identifier: Apache-2.0
#include "train/threads.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace hg::train {

void set_threads(int threads) {
    // 8: beyond it the small matrices of our models gain nothing and other processes suffer.
    constexpr int most = 8;
    if (threads <= 0) {
        if (std::getenv("OMP_NUM_THREADS") != nullptr) {
            return;
        }
        threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, most);
    }
    at::set_num_threads(threads);
}

}  // namespace hg::train
