// SPDX-License-Identifier: Apache-2.0
// ShortProducts: matrix products of 16-bit numbers (bfloat16) in training, where the processor is
// made for them.
//
// The products multiply numbers with 8 bits of mantissa and add in float32; weights, sums, norms,
// the loss and the optimiser stay float32 (Micikevicius et al., "Mixed Precision Training", 2018;
// bfloat16 has the range of float32, so the loss needs no scaling).
//
//   const ShortProducts guard{products_are_short("auto")};
//   const auto loss = ...;              // backward() may come after the guard's end
#pragma once

#include <string_view>

namespace hg::train {

/// Whether this processor multiplies bfloat16 in hardware.
[[nodiscard]] bool has_short_products();

/// precision: fp32, bf16 or auto (bf16 on an accelerator, or where has_short_products()).
[[nodiscard]] bool products_are_short(std::string_view precision, bool on_accelerator = false);

/// While it lives, products of this thread are short on every device, if `on`.
class ShortProducts {
  public:
    explicit ShortProducts(bool on);
    ShortProducts(const ShortProducts&) = delete;
    ShortProducts& operator=(const ShortProducts&) = delete;
    ShortProducts(ShortProducts&&) = delete;
    ShortProducts& operator=(ShortProducts&&) = delete;
    ~ShortProducts();

  private:
    bool on_;
};

}  // namespace hg::train
