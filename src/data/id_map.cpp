// SPDX-License-Identifier: Apache-2.0
#include "data/id_map.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <random>
#include <utility>

namespace hg::data {
namespace {

__extension__ using Wide = unsigned __int128;

std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t load(const char* bytes, std::size_t count) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, count);
    return word;
}

std::uint64_t process_seed() {
    static const std::uint64_t seed = [] {
        std::random_device device;
        return (std::uint64_t{device()} << 32U) ^ device();
    }();
    return seed;
}

/// Folded multiplication over 16-byte blocks, after wyhash (Wang Yi).
std::uint32_t hash_of(std::string_view text) noexcept {
    constexpr std::uint64_t first = 0xa0761d6478bd642fULL;
    constexpr std::uint64_t second = 0xe7037ed1a0b428dbULL;
    constexpr std::size_t word = sizeof(std::uint64_t);
    std::uint64_t state = process_seed() ^ folded_product(text.size() ^ first, second);
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left > 2 * word; left -= 2 * word, at += 2 * word) {
        state = folded_product(load(at, word) ^ first, load(at + word, word) ^ state);
    }
    const auto head = std::min(left, word);
    const auto a = head > 0 ? load(at, head) : 0;
    const auto b = left > word ? load(at + word, left - word) : 0;
    const auto mixed = folded_product(folded_product(a ^ first, b ^ state) ^ second, second);
    return static_cast<std::uint32_t>(mixed >> 32U);
}

}  // namespace

std::uint32_t IdMap::intern(std::string_view name) {
    if (2 * (names_.size() + 1) > slots_.size()) {
        grow();
    }
    const auto hash = hash_of(name);
    auto& slot = slots_[slot_of(name, hash)];
    if (slot.id_plus_one == 0) {
        HG_CHECK(
            names_.size() + 1 < std::numeric_limits<std::uint32_t>::max(), "more than 2^32 ids"
        );
        names_.emplace_back(name);
        slot = {hash, static_cast<std::uint32_t>(names_.size())};
    }
    return slot.id_plus_one - 1;
}

std::optional<std::uint32_t> IdMap::find(std::string_view name) const {
    if (slots_.empty()) {
        return std::nullopt;
    }
    const auto& slot = slots_[slot_of(name, hash_of(name))];
    if (slot.id_plus_one == 0) {
        return std::nullopt;
    }
    return slot.id_plus_one - 1;
}

std::size_t IdMap::slot_of(std::string_view name, std::uint32_t hash) const {
    const auto mask = slots_.size() - 1;
    auto index = hash & mask;
    while (slots_[index].id_plus_one != 0) {
        const auto& slot = slots_[index];
        if (slot.hash == hash && names_[slot.id_plus_one - 1] == name) {
            break;
        }
        index = (index + 1) & mask;
    }
    return index;
}

void IdMap::grow() {
    constexpr std::size_t least = 64;
    std::vector<Slot> old(std::max(least, slots_.size() * 2));
    std::swap(old, slots_);
    const auto mask = slots_.size() - 1;
    for (const auto& slot : old) {
        if (slot.id_plus_one == 0) {
            continue;
        }
        auto index = slot.hash & mask;
        while (slots_[index].id_plus_one != 0) {
            index = (index + 1) & mask;
        }
        slots_[index] = slot;
    }
}

}  // namespace hg::data
