// SPDX-License-Identifier: Apache-2.0
#include "train/dense.hpp"

#include "core/signed_index.hpp"

#include <Eigen/Core>

#include <cmath>

namespace hg::train {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Stride = Eigen::OuterStride<>;

Eigen::Map<const Rows, 0, Stride> map(MatrixView<const float> m) {
    return {m.data(), index(m.rows()), index(m.cols()), Stride{index(m.stride())}};
}

}  // namespace

void multiply_transposed(
    MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out
) {
    HG_CHECK(
        a.cols() == b.cols() && out.rows() == a.rows() && out.cols() == b.rows(), "shapes must fit"
    );
    if (out.empty()) {
        return;
    }
    Eigen::Map<Rows, 0, Stride> product{
        out.data(), index(out.rows()), index(out.cols()), Stride{index(out.stride())}
    };
    product.noalias() = map(a) * map(b).transpose();
}

void normalise(std::span<float> vector) {
    double sum = 0;
    for (const auto value : vector) {
        sum += static_cast<double>(value) * value;
    }
    if (sum <= 0) {
        return;
    }
    const auto scale = static_cast<float>(1.0 / std::sqrt(sum));
    for (auto& value : vector) {
        value *= scale;
    }
}

}  // namespace hg::train
