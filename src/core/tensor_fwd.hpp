// SPDX-License-Identifier: Apache-2.0
// The torch fence: public headers name tensors through this forward declaration and never include
// torch, so that torch-free rooms and tests build in seconds.
#pragma once

namespace at {
class Tensor;
}  // namespace at
