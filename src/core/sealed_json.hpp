// SPDX-License-Identifier: Apache-2.0
// A seal in a JSON file of ours: the digest of everything else in it, so that a flipped bit in a
// number is not taken for the number. Beside the digests of the binary files, which the same JSON
// holds, it closes the chain. Files without a seal (of older versions, or edited by hand) are read
// as they are.
//
//   seal(manifest);                                        // last, before it is written
//   if (has_broken_seal(manifest)) { ... }                 // after it was read
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace hg {

constexpr auto seal_key = "seal";

/// object: a JSON object; its seal is added or replaced.
void seal(nlohmann::json& object);

/// Whether the object has a seal, and another content than it had when it was sealed.
[[nodiscard]] bool has_broken_seal(const nlohmann::json& object);

}  // namespace hg
