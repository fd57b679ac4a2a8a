// SPDX-License-Identifier: Apache-2.0
// digest: content hashes (BLAKE2b-256 of libsodium) that name data, runs and cached vectors.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hg {

/// Feed bytes, read 64 hex digits once. Not thread-safe.
class Digest {
  public:
    Digest();
    Digest(const Digest&) = delete;
    Digest& operator=(const Digest&) = delete;
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;
    ~Digest();

    void update(std::span<const std::byte> bytes);
    void update(std::string_view text);
    [[nodiscard]] std::string hex();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

[[nodiscard]] std::string digest_hex(std::string_view text);

}  // namespace hg
