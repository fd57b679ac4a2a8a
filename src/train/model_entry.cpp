// SPDX-License-Identifier: Apache-2.0
#include "train/model_entry.hpp"

#include "core/registry.hpp"

#include <array>

namespace hg::train {

#define HG_MODEL(name) extern const ModelEntry name;
#include "train/models/builtin.def"
#undef HG_MODEL

namespace {

constexpr std::array table{
#define HG_MODEL(name) &name,
#include "train/models/builtin.def"
#undef HG_MODEL
};

}  // namespace

std::span<const ModelEntry* const> models() {
    return table;
}

const ModelEntry& find_model(std::string_view name) {
    return find_entry<ModelEntry>(models(), name, "model");
}

}  // namespace hg::train
