// SPDX-License-Identifier: Apache-2.0
#include "train/cooccurrence_tensor.hpp"

#include "core/error.hpp"

#include <torch/types.h>

namespace hg::train {
namespace {

template <typename T>
void add_to(
    const Csr& users, const KeptItems& kept, std::span<const float> user_weights, T* cells
) {
    for_each_cooccurrence_row(
        users,
        [&](ItemId item, std::span<const Neighbour> others) {
            const auto row = kept.place(item.value);
            if (!row) {
                return;
            }
            for (const auto& other : others) {
                if (const auto column = kept.place(other.item)) {
                    cells[*row * kept.size() + *column] += static_cast<T>(other.count);
                }
            }
        },
        user_weights
    );
}

}  // namespace

void add_cooccurrences(
    const Csr& users,
    const KeptItems& kept,
    std::span<const float> user_weights,
    const at::Tensor& square
) {
    HG_CHECK(square.is_contiguous() && square.device().is_cpu(), "a contiguous host tensor");
    if (square.scalar_type() == torch::kFloat64) {
        add_to(users, kept, user_weights, square.data_ptr<double>());
    } else {
        add_to(users, kept, user_weights, square.data_ptr<float>());
    }
}

}  // namespace hg::train
