// fuzz: links hg_data
// SPDX-License-Identifier: Apache-2.0
// Any bytes as dataset.toml: a configuration or an error that says where.
#include "core/error.hpp"
#include "data/dataset_config.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(bytes), size};
    const auto config = hg::data::parse_dataset_config(text, "dataset.toml");
    if (!config) {
        HG_CHECK(config.error().message().starts_with("dataset.toml:"), "an error names its place");
    }
    return 0;
}
