// SPDX-License-Identifier: Apache-2.0
// Checkpoint: everything the epoch loop needs to go on as if it had not been stopped.
//
// One safetensors file (no pickle): parameters, best parameters and both Adam moments as tensors,
// the position as metadata. Random streams are functions of the saved stream state and the
// position.
#pragma once

#include "core/rng.hpp"
#include "core/tensor_fwd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hg::train {

/// Where the loop stands between two batches.
struct Position {
    std::int64_t epoch = 0;     // finished epochs
    std::int64_t batch = 0;     // finished batches of the current one
    std::int64_t step = 0;      // optimiser steps so far
    double loss_sum = 0;        // over the current epoch's batches, weighted by examples
    std::int64_t examples = 0;  // of the current epoch so far
    double last_loss = 0;
    std::int64_t best_epoch = 0;
    std::optional<double> best_validation;
    Rng::State streams{};  // the state all random streams are split from
};

/// Named groups of tensors (handles), saved and restored in place.
using TensorGroup = std::pair<std::string, std::vector<std::pair<std::string, at::Tensor>>>;

/// Atomic. `label` says which of a model's trainings this is.
void save_checkpoint(
    const std::filesystem::path& path,
    const std::string& label,
    const std::string& fingerprint,
    const Position& position,
    const std::vector<TensorGroup>& groups
);

/// Restores into the tensors of `groups`; nothing where there is no checkpoint or it is of another
/// label. Throws Error: conflict for another fingerprint, corrupt for a damaged file.
[[nodiscard]] std::optional<Position> load_checkpoint(
    const std::filesystem::path& path,
    const std::string& label,
    const std::string& fingerprint,
    std::vector<TensorGroup>& groups
);

}  // namespace hg::train
