// SPDX-License-Identifier: Apache-2.0
#include "simulate/slates.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::simulate {

void check_slate_size(std::int64_t slate_size, std::int64_t n_offered) {
    if (slate_size > n_offered) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("slate_size {} exceeds the {} items offered", slate_size, n_offered),
            "offer at least as many items as are shown"
        };
    }
}

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
