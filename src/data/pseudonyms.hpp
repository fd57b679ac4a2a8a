// SPDX-License-Identifier: Apache-2.0
// Pseudonyms: e-mail addresses become keyed hashes before anything is stored.
//
// "Ann@Example.org" -> "email:" and 32 hex digits of BLAKE2b under a 256-bit key that lies in the
// dataset (address.key, for its owner only): the same address is the same user in every ingest into
// that dataset and in the server. What this protects from and what not: docs/formats/addresses.md.
// Const-safe.
//
//   const auto pseudonyms = Pseudonyms::make();
//   pseudonyms.hide("ann@example.org") == pseudonyms.hide("Ann@example.org")
#pragma once

#include "core/error.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hg::data {

/// Where the first e-mail address of a text stands.
struct AddressPlace {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// name@host.tld, with letters beyond ASCII allowed; "@handle" and "user@host" are none.
[[nodiscard]] std::optional<AddressPlace> find_address(std::string_view text) noexcept;

class Pseudonyms {
  public:
    static constexpr std::size_t key_bytes = 32;

    /// With a new random key.
    [[nodiscard]] static Pseudonyms make();
    /// Of a key file; corrupt if it is none, not_found if there is none.
    [[nodiscard]] static Result<Pseudonyms> load(const std::filesystem::path& file);

    /// Written durably, readable for the owner only. Throws Error.
    void save(const std::filesystem::path& file) const;

    /// The text with every address in it replaced. Letters of ASCII count without their case.
    [[nodiscard]] std::string hide(std::string_view text) const;

  private:
    std::array<unsigned char, key_bytes> key_{};
};

/// The key file of a dataset.
[[nodiscard]] std::filesystem::path address_key_of(const std::filesystem::path& dataset);

/// The dataset's key; nothing if it has none (a raw folder, or one ingested by an older version).
[[nodiscard]] Result<std::optional<Pseudonyms>> load_pseudonyms(const std::filesystem::path& dataset
);

}  // namespace hg::data
