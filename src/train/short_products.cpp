// SPDX-License-Identifier: Apache-2.0
#include "train/short_products.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/cpu/Utils.h>

#include <algorithm>
#include <array>
#include <string>

namespace hg::train {
namespace {

void set_short(bool on) {
    for (const auto device : {at::kCPU, at::kCUDA}) {
        at::autocast::set_autocast_enabled(device, on);
        at::autocast::set_autocast_dtype(device, at::kBFloat16);
    }
}

}  // namespace

bool has_short_products() {
    constexpr std::array<std::string_view, 3> instructions{"avx512_bf16", "amx_bf16", "arm_bf16"};
    const auto found = at::cpu::get_cpu_capabilities();
    return std::ranges::any_of(instructions, [&](std::string_view name) {
        const auto at = found.find(std::string{name});
        return at != found.end() && at->second.isBool() && at->second.toBool();
    });
}

bool products_are_short(std::string_view precision, bool on_accelerator) {
    return precision == "bf16" || (precision == "auto" && (on_accelerator || has_short_products()));
}

ShortProducts::ShortProducts(bool on)
    : on_(on && !at::autocast::is_autocast_enabled(at::kCPU)) {  // the outermost one turns it off
    if (on_) {
        set_short(true);
    }
}

ShortProducts::~ShortProducts() {
    if (on_) {
        at::autocast::clear_cache();
        set_short(false);
    }
}

}  // namespace hg::train
