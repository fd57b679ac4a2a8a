// SPDX-License-Identifier: Apache-2.0
#include "data/pseudonyms.hpp"

#include "core/file.hpp"
#include "data/cell.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>

namespace hg::data {
namespace {

constexpr std::string_view prefix = "email:";
constexpr std::size_t hash_bytes = 16;  // 2^64 addresses until two are likely to share a hash

bool is_letter(unsigned char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

bool is_host(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return is_letter(byte) || (byte >= '0' && byte <= '9') || c == '-';
}

bool is_local(char c) noexcept {
    constexpr std::string_view others = ".!#$%&'*+/=?^_`{|}~";
    return is_host(c) || others.find(c) != others.npos;
}

/// Behind the host that begins at `at`: labels with dots between, the last one of letters; `at` if
/// there is none.
std::size_t end_of_host(std::string_view text, std::size_t at) noexcept {
    std::size_t end = at;
    std::size_t label = at;
    bool has_dot = false;
    for (std::size_t i = at;; ++i) {
        if (i < text.size() && is_host(text[i])) {
            continue;
        }
        if (i == label) {
            break;
        }
        if (has_dot && i - label >= 2 && is_letter(static_cast<unsigned char>(text[label]))) {
            end = i;
        }
        if (i >= text.size() || text[i] != '.') {
            break;
        }
        has_dot = true;
        label = i + 1;
    }
    return end;
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

}  // namespace

std::optional<AddressPlace> find_address(std::string_view text) noexcept {
    for (auto at = text.find('@'); at != text.npos; at = text.find('@', at + 1)) {
        auto begin = at;
        while (begin > 0 && is_local(text[begin - 1])) {
            --begin;
        }
        while (begin < at && text[begin] == '.') {
            ++begin;
        }
        const auto end = end_of_host(text, at + 1);
        if (begin < at && end > at + 1) {
            return AddressPlace{begin, end};
        }
    }
    return std::nullopt;
}

Pseudonyms Pseudonyms::make() {
    HG_CHECK(sodium_init() >= 0, "libsodium starts");
    Pseudonyms made;
    randombytes_buf(made.key_.data(), made.key_.size());
    return made;
}

Result<Pseudonyms> Pseudonyms::load(const std::filesystem::path& file) {
    HG_CHECK(sodium_init() >= 0, "libsodium starts");
    HG_TRY(const auto text, read_file(file));
    const auto digits = trim(text);
    Pseudonyms loaded;
    std::size_t size = 0;
    const int status = sodium_hex2bin(
        loaded.key_.data(),
        loaded.key_.size(),
        digits.data(),
        digits.size(),
        nullptr,
        &size,
        nullptr
    );
    if (status != 0 || size != key_bytes || digits.size() != 2 * key_bytes) {
        return fail(
            ErrorCode::corrupt,
            file.string() + ": is no key: expected 64 hex digits",
            "copy it from the dataset it belongs to; a new key makes new users of all addresses"
        );
    }
    return loaded;
}

void Pseudonyms::save(const std::filesystem::path& file) const {
    std::array<char, 2 * key_bytes + 1> digits{};
    sodium_bin2hex(digits.data(), digits.size(), key_.data(), key_.size());
    // Never readable for others, not even for a moment: made with its permissions, then written.
    constexpr mode_t owner_only = 0600;
    const auto made = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only);
    digits.back() = '\n';
    const auto wrote = made < 0 ? -1 : ::write(made, digits.data(), digits.size());
    const bool is_safe = wrote == static_cast<ssize_t>(digits.size()) && ::fsync(made) == 0;
    const bool is_closed = made >= 0 && ::close(made) == 0;
    if (!is_safe || !is_closed) {
        throw Error{
            ErrorCode::exhausted,
            file.string() + ": cannot write the key of the addresses",
            "check the permissions and the free disk space"
        };
    }
}

std::string Pseudonyms::hide(std::string_view text) const {
    std::string out;
    for (auto place = find_address(text); place; place = find_address(text)) {
        const auto address = lower(text.substr(place->begin, place->end - place->begin));
        std::array<unsigned char, hash_bytes> hash{};
        crypto_generichash(
            hash.data(),
            hash.size(),
            reinterpret_cast<const unsigned char*>(address.data()),
            address.size(),
            key_.data(),
            key_.size()
        );
        std::array<char, 2 * hash_bytes + 1> digits{};
        sodium_bin2hex(digits.data(), digits.size(), hash.data(), hash.size());
        out += text.substr(0, place->begin);
        out += prefix;
        out += digits.data();
        text.remove_prefix(place->end);
    }
    out += text;
    // "a@b.example@c.example": what stands behind an address may make a new one of its hash.
    return find_address(out) ? hide(out) : out;
}

std::filesystem::path address_key_of(const std::filesystem::path& dataset) {
    return dataset / "address.key";
}

Result<std::optional<Pseudonyms>> load_pseudonyms(const std::filesystem::path& dataset) {
    const auto file = address_key_of(dataset);
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
        return std::nullopt;
    }
    HG_TRY(auto loaded, Pseudonyms::load(file));
    return loaded;
}

}  // namespace hg::data
