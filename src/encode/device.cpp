// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "encode/device_net.hpp"

#include <ATen/Context.h>
#include <torch/cuda.h>

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace hg::encode {
namespace {

std::optional<torch::Device> parse(const std::string& name) {
    try {
        return torch::Device{name};
    } catch (const c10::Error&) {
        return std::nullopt;
    }
}

}  // namespace

torch::Device find_device(const std::string& name) {
    const auto device = parse(name);
    if (!device || !(device->is_cpu() || device->is_cuda())) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("unknown device \"{}\"", name),
            "use cpu, cuda or cuda:N"
        };
    }
    if (!device->is_cuda()) {
        return *device;
    }
    const auto count = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
    if (count == 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("device \"{}\": libtorch finds no CUDA device here", name),
            "use device=cpu; a CUDA device needs its driver and a CUDA build of libtorch"
        };
    }
    if (device->has_index() && std::cmp_greater_equal(device->index(), count)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("device \"{}\": there are {}, counted from 0", name, count),
            "use cuda for the first"
        };
    }
    // cuDNN plans its attention anew for every length, which takes ten times what it computes:
    // batches here are packed and have any length.
    at::globalContext().setSDPUseCuDNN(false);
    return *device;
}

}  // namespace hg::encode
