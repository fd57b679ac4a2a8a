// SPDX-License-Identifier: Apache-2.0
#include "core/digest.hpp"

#include <sodium.h>

#include <array>

namespace hg {

namespace {
constexpr std::size_t hash_bytes = 32;
}  // namespace

struct Digest::State {
    crypto_generichash_state hash;
};

Digest::Digest() : state_(std::make_unique<State>()) {
    crypto_generichash_init(&state_->hash, nullptr, 0, hash_bytes);
}

Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::span<const std::byte> bytes) {
    crypto_generichash_update(
        &state_->hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()
    );
}

void Digest::update(std::string_view text) {
    update(std::as_bytes(std::span{text}));
}

std::string Digest::hex() {
    std::array<unsigned char, hash_bytes> hash{};
    crypto_generichash_final(&state_->hash, hash.data(), hash.size());
    std::array<char, 2 * hash_bytes + 1> text{};
    sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
    return std::string{text.data()};
}

std::string digest_hex(std::string_view text) {
    Digest digest;
    digest.update(text);
    return digest.hex();
}

}  // namespace hg
