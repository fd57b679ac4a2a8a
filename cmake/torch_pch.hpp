// SPDX-License-Identifier: Apache-2.0
// The slim precompiled header of the torch rooms. Sources still include what they use; `make check`
// builds once without it.
#pragma once

#include <torch/nn/init.h>
#include <torch/nn/modules.h>
#include <torch/optim/adam.h>
#include <torch/serialize.h>
#include <torch/types.h>
