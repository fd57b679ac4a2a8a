// SPDX-License-Identifier: Apache-2.0
// The torch fence: public headers name tensors and modules through these forward declarations and
// never include torch, so that torch-free rooms and tests build in seconds.
#pragma once

namespace at {
class Tensor;
}  // namespace at

namespace torch::nn {
class Module;
}  // namespace torch::nn
