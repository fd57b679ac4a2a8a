// SPDX-License-Identifier: Apache-2.0
#include "simulate/slates.hpp"

#include <algorithm>

namespace hg::simulate {

std::vector<std::vector<std::uint32_t>> all_slates(std::size_t n, std::size_t k) {
    std::vector<std::vector<std::uint32_t>> slates;
    std::vector<bool> chosen(n, false);
    std::fill_n(chosen.begin(), k, true);
    do {
        std::vector<std::uint32_t> slate;
        for (std::uint32_t i = 0; i < n; ++i) {
            if (chosen[i]) {
                slate.push_back(i);
            }
        }
        slates.push_back(std::move(slate));
    } while (std::prev_permutation(chosen.begin(), chosen.end()));
    return slates;
}

}  // namespace hg::simulate
