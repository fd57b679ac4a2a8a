// SPDX-License-Identifier: Apache-2.0
#include "train/threads.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

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

void parallel_blocks(
    std::size_t n,
    std::size_t block,
    const std::function<void(std::size_t begin, std::size_t end)>& work
) {
    // Not at::parallel_for: its loop is inlined here, where OpenMP is off, and would run serially.
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_lock;
    const auto run = [&] {
        try {
            for (auto begin = next.fetch_add(block); begin < n; begin = next.fetch_add(block)) {
                work(begin, std::min(begin + block, n));
            }
        } catch (...) {
            const std::scoped_lock held{failure_lock};
            failure = failure ? failure : std::current_exception();
            next = n;
        }
    };
    {
        std::vector<std::jthread> helpers;
        const auto n_blocks = (n + block - 1) / block;
        const auto n_threads = std::min(n_blocks, static_cast<std::size_t>(at::get_num_threads()));
        for (std::size_t i = 1; i < n_threads; ++i) {
            helpers.emplace_back(run);
        }
        run();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace hg::train
