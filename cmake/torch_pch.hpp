// SPDX-License-Identifier: Apache-2.0
// The slim precompiled header of the torch rooms. Sources still include what they use; `make check`
// builds once without it. What it instantiates is instantiated again in every source: only what most need.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>
