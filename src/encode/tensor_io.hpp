// SPDX-License-Identifier: Apache-2.0
// tensor_io: tensors to and from safetensors and host matrices; the one place where they change
// hands.
//
//   add_tensor(writer, "encoder.weight", net->encoder->weight);
//   copy_tensor(file, "encoder.weight", net->encoder->weight);    // same shape, or Error{corrupt}
#pragma once

#include "core/matrix.hpp"
#include "core/safetensors.hpp"
#include "core/tensor_fwd.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace hg::encode {

/// float32, float64, int64 or uint8 of any device; copied at once.
void add_tensor(SafetensorsWriter& writer, const std::string& name, const at::Tensor& tensor);

/// A host tensor of its own, of the file's shape and type.
[[nodiscard]] at::Tensor load_tensor(const SafetensorsFile& file, const std::string& name);

/// Copies the file's values into `target` (in place). Shapes and types must agree, values be
/// finite.
void copy_tensor(const SafetensorsFile& file, const std::string& name, at::Tensor& target);

/// A float32 tensor [rows, cols] of its own.
[[nodiscard]] at::Tensor to_tensor(MatrixView<const float> matrix);

/// Row numbers as an int64 tensor [n] on the host.
[[nodiscard]] at::Tensor index_tensor(std::span<const std::int64_t> rows);

/// Copies a float tensor [rows, cols] into the matrix.
void to_matrix(const at::Tensor& tensor, MatrixView<float> out);

}  // namespace hg::encode
