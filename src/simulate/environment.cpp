// SPDX-License-Identifier: Apache-2.0
#include "simulate/environment.hpp"

#include <fmt/format.h>

namespace hg::simulate {
namespace {

[[noreturn]] void refuse(std::string what) {
    throw Error{
        ErrorCode::invalid_argument,
        std::move(what),
        "give distinct indices of the candidates, as many as the slate has slots"
    };
}

}  // namespace

void check_slate(const EnvironmentFacts& facts, std::span<const std::uint32_t> slate) {
    if (slate.size() != facts.slate_size) {
        refuse(
            fmt::format("a slate of {} for a world that shows {}", slate.size(), facts.slate_size)
        );
    }
    for (std::size_t i = 0; i < slate.size(); ++i) {
        if (slate[i] >= facts.n_candidates) {
            refuse(fmt::format("candidate {} of {}", slate[i], facts.n_candidates));
        }
        for (std::size_t j = 0; j < i; ++j) {
            if (slate[i] == slate[j]) {
                refuse(fmt::format("candidate {} is shown twice in one slate", slate[i]));
            }
        }
    }
}

}  // namespace hg::simulate
