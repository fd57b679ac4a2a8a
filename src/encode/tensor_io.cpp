// SPDX-License-Identifier: Apache-2.0
#include "encode/tensor_io.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <vector>

namespace hg::encode {
namespace {

DType dtype_of_tensor(const at::Tensor& tensor, const std::string& name) {
    switch (tensor.scalar_type()) {
        case at::kFloat:
            return DType::f32;
        case at::kDouble:
            return DType::f64;
        case at::kLong:
            return DType::i64;
        case at::kByte:
            return DType::u8;
        default:
            break;
    }
    HG_CHECK(false, "no container type for tensor " + name);
    return DType::u8;
}

at::ScalarType scalar_of(DType dtype, const std::string& name) {
    switch (dtype) {
        case DType::f32:
            return at::kFloat;
        case DType::f64:
            return at::kDouble;
        case DType::i64:
            return at::kLong;
        case DType::u8:
            return at::kByte;
        default:
            break;
    }
    throw Error{
        ErrorCode::corrupt,
        fmt::format("tensor \"{}\" is {}, expected F32, F64, I64 or U8", name, to_string(dtype)),
        "the file belongs to another model or version",
    };
}

}  // namespace

void add_tensor(SafetensorsWriter& writer, const std::string& name, const at::Tensor& tensor) {
    const auto host = tensor.detach().cpu().contiguous();
    std::vector<std::byte> bytes(host.nbytes());
    if (!bytes.empty()) {
        std::memcpy(bytes.data(), host.const_data_ptr(), bytes.size());
    }
    std::vector<std::size_t> shape;
    for (const auto extent : host.sizes()) {
        shape.push_back(static_cast<std::size_t>(extent));
    }
    writer.add_bytes(name, dtype_of_tensor(host, name), std::move(shape), std::move(bytes));
}

at::Tensor load_tensor(const SafetensorsFile& file, const std::string& name) {
    const auto view = value_or_throw(file.tensor(name));
    std::vector<std::int64_t> shape;
    for (const auto extent : view.shape) {
        shape.push_back(static_cast<std::int64_t>(extent));
    }
    auto tensor = at::empty(shape, at::TensorOptions{}.dtype(scalar_of(view.dtype, name)));
    if (!view.bytes.empty()) {
        std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    }
    return tensor;
}

void copy_tensor(const SafetensorsFile& file, const std::string& name, at::Tensor& target) {
    const at::NoGradGuard no_grad;
    const auto loaded = load_tensor(file, name);
    if (loaded.sizes() != target.sizes() || loaded.scalar_type() != target.scalar_type()) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format(
                "tensor \"{}\" has shape [{}], expected [{}]",
                name,
                fmt::join(loaded.sizes(), ", "),
                fmt::join(target.sizes(), ", ")
            ),
            "the weights and the manifest are not of the same run; train it again",
        };
    }
    if (loaded.is_floating_point() && !loaded.isfinite().all().item<bool>()) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("tensor \"{}\" holds values that are not numbers", name),
            "the weights are damaged; train the run again",
        };
    }
    target.copy_(loaded);
}

at::Tensor to_tensor(MatrixView<const float> matrix) {
    auto tensor = at::empty(
        {static_cast<std::int64_t>(matrix.rows()), static_cast<std::int64_t>(matrix.cols())},
        at::kFloat
    );
    auto* out = tensor.mutable_data_ptr<float>();
    for (std::size_t r = 0; r < matrix.rows(); ++r) {
        const auto row = matrix.row(r);
        std::ranges::copy(row, out + r * matrix.cols());
    }
    return tensor;
}

at::Tensor index_tensor(std::span<const std::int64_t> rows) {
    return torch::tensor(at::ArrayRef<std::int64_t>{rows.data(), rows.size()}, at::kLong);
}

void to_matrix(const at::Tensor& tensor, MatrixView<float> out) {
    HG_CHECK(
        tensor.dim() == 2 && std::cmp_equal(tensor.size(0), out.rows()) &&
            std::cmp_equal(tensor.size(1), out.cols()),
        "tensor and matrix must have the same shape"
    );
    const auto host = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
    const auto* values = host.const_data_ptr<float>();
    for (std::size_t r = 0; r < out.rows(); ++r) {
        std::copy_n(values + r * out.cols(), out.cols(), out.row(r).data());
    }
}

}  // namespace hg::encode
