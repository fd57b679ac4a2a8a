// SPDX-License-Identifier: Apache-2.0
#include "core/rng.hpp"

#include "core/error.hpp"

#include <bit>
#include <cmath>

namespace hg {
namespace {

std::uint64_t splitmix64(std::uint64_t& x) noexcept {
    x += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = x;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
}

std::uint64_t fnv1a(std::string_view text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3ULL;
    }
    return hash;
}

}  // namespace

Rng::Rng(std::uint64_t seed) noexcept {
    for (auto& word : state_) {
        word = splitmix64(seed);
    }
}

Rng Rng::split(std::string_view name) const noexcept {
    return split(fnv1a(name));
}

Rng Rng::split(std::uint64_t index) const noexcept {
    std::uint64_t mixed = index;
    std::uint64_t seed = splitmix64(mixed);
    for (const auto word : state_) {
        seed ^= word;
        seed = splitmix64(seed);
    }
    return Rng{seed};
}

std::uint64_t Rng::operator()() noexcept {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

double Rng::uniform() noexcept {
    return static_cast<double>((*this)() >> 11U) * 0x1.0p-53;
}

std::size_t Rng::below(std::size_t bound) {
    HG_CHECK(bound > 0, "cannot draw from an empty range");
    // NOLINTNEXTLINE(bugprone-narrowing-conversions): 128-bit product, high half is the draw
    __extension__ using Wide = unsigned __int128;
    const auto range = static_cast<std::uint64_t>(bound);
    Wide product = static_cast<Wide>((*this)()) * range;
    if (auto low = static_cast<std::uint64_t>(product); low < range) {
        const std::uint64_t threshold = (0 - range) % range;
        while (low < threshold) {
            product = static_cast<Wide>((*this)()) * range;
            low = static_cast<std::uint64_t>(product);
        }
    }
    return static_cast<std::size_t>(product >> 64U);
}

double Rng::normal() noexcept {
    for (;;) {
        const double u = 2.0 * uniform() - 1.0;
        const double v = 2.0 * uniform() - 1.0;
        const double s = u * u + v * v;
        if (s > 0.0 && s < 1.0) {
            return u * std::sqrt(-2.0 * std::log(s) / s);
        }
    }
}

double Rng::gumbel() noexcept {
    // 1 - U lies in (0, 1], so the inner logarithm is finite; the offset keeps the outer one so.
    return -std::log(-std::log(1.0 - uniform()) + 1e-300);
}

}  // namespace hg
