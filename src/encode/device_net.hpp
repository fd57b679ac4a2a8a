// SPDX-License-Identifier: Apache-2.0
// device_net: where tensors live, by the name people give it: cpu, cuda or cuda:N.
#pragma once

#include <torch/types.h>

#include <string>

namespace hg::encode {

/// Throws Error{invalid_argument} where the name is none, or this build or machine has no such
/// device. On CUDA it turns cuDNN's attention off for the process.
[[nodiscard]] torch::Device find_device(const std::string& name);

}  // namespace hg::encode
