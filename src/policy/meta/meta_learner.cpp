// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/meta_learner.hpp"

#include "core/registry.hpp"

#include <array>

namespace hg::policy {

#define HG_META_LEARNER(name) extern const MetaLearnerEntry name;
#include "policy/meta/learners/builtin.def"
#undef HG_META_LEARNER

namespace {

constexpr std::array table{
#define HG_META_LEARNER(name) &name,
#include "policy/meta/learners/builtin.def"
#undef HG_META_LEARNER
};

}  // namespace

std::span<const MetaLearnerEntry* const> meta_learners() {
    return table;
}

const MetaLearnerEntry& find_meta_learner(std::string_view name) {
    return find_entry<MetaLearnerEntry>(meta_learners(), name, "meta-learner");
}

}  // namespace hg::policy
