// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "encode/device_net.hpp"

#include <torch/cuda.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::encode {
namespace {

std::string refusal(const std::string& name) {
    try {
        (void)find_device(name);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Device, names_become_devices) {
    EXPECT_TRUE(find_device("cpu").is_cpu());
}

TEST(Device, other_names_are_refused) {
    for (const auto* name : {"", "gpu", "meta", "cuda:x", "cuda:-2"}) {
        EXPECT_THAT(refusal(name), testing::HasSubstr("use cpu, cuda or cuda:N")) << name;
    }
}

TEST(Device, a_device_that_is_not_there_is_refused) {
    if (!torch::cuda::is_available()) {
        EXPECT_THAT(refusal("cuda"), testing::HasSubstr("use device=cpu"));
        return;
    }
    EXPECT_TRUE(find_device("cuda").is_cuda());
    EXPECT_THAT(refusal("cuda:99"), testing::HasSubstr("counted from 0"));
}

}  // namespace
}  // namespace hg::encode
