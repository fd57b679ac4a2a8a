// fuzz: links hg_core
// SPDX-License-Identifier: Apache-2.0
// Any bytes as a safetensors file: every tensor that comes out lies inside the input.
#include "core/safetensors.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // 8-aligned, as a mapped file is.
    std::vector<std::uint64_t> aligned(size / sizeof(std::uint64_t) + 1);
    if (size > 0) {
        std::memcpy(aligned.data(), data, size);
    }
    const auto bytes = std::as_bytes(std::span{aligned}).first(size);
    const auto file = hg::SafetensorsFile::parse(bytes, "fuzz");
    if (!file) {
        return 0;
    }
    for (const auto& [name, view] : file->tensors()) {
        HG_CHECK(view.bytes.empty() || view.bytes.data() >= bytes.data(), "before the input");
        HG_CHECK(view.bytes.empty() || &view.bytes.back() <= &bytes.back(), "behind the input");
        std::size_t sum = 0;
        for (const auto byte : view.bytes) {
            sum += static_cast<std::size_t>(byte);
        }
        (void)sum;
        (void)file->values<float>(name);
        (void)file->matrix<float>(name);
        if (const auto end = name.rfind(".offsets"); end != std::string::npos) {
            (void)file->strings(name.substr(0, end));
        }
    }
    return 0;
}
