// SPDX-License-Identifier: Apache-2.0
// Guard: who may ask, and how often.
//
// Keys are kept as BLAKE2b digests, compared in constant time and never logged. Without keys the
// server is bound to loopback, and two checks keep web pages of other sites out: the Host must be a
// loopback name (DNS rebinding), an Origin must be our own (cross-site requests). Rates: a token
// bucket per key, or per address where there is no key.
//
//   Guard guard{{.keys = {"secret"}, .requests_per_second = 1000}};
//   if (auto refusal = guard.refuse(request, Access::key, clock.monotonic())) { reply(*refusal); }
#pragma once

#include "serve/http/message.hpp"
#include "serve/http/router.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::serve {

struct GuardOptions {
    std::vector<std::string> keys;   // empty: no key needed, loopback only
    double requests_per_second = 0;  // per key; 0 = no limit
    double burst = 0;                // requests at once; 0 = two seconds' worth
};

class Guard {
  public:
    explicit Guard(const GuardOptions& options);

    /// The answer that keeps this request out, or nothing. Thread-safe.
    [[nodiscard]] std::optional<HttpResponse> refuse(
        const HttpRequest& request, Access access, std::chrono::nanoseconds now
    );

    [[nodiscard]] bool has_keys() const noexcept { return !keys_.empty(); }

  private:
    static constexpr std::size_t digest_size = 32;
    using KeyDigest = std::array<unsigned char, digest_size>;

    struct Bucket {
        double tokens = 0;
        std::chrono::nanoseconds last{};
    };

    [[nodiscard]] static KeyDigest digest_of(std::string_view key);
    /// Compares with every key, always all of them.
    [[nodiscard]] bool is_known(std::string_view key) const;
    [[nodiscard]] bool take_token(const std::string& who, std::chrono::nanoseconds now);

    std::vector<KeyDigest> keys_;
    double rate_;
    double burst_;
    std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
};

/// "127.0.0.1:8080", "localhost", "[::1]:80": names of this machine only.
[[nodiscard]] bool is_loopback_host(std::string_view host);

/// One key a line; blank lines and lines with # are skipped. Throws Error; refuses keys under 16
/// characters.
[[nodiscard]] std::vector<std::string> parse_keys(std::string_view text);

}  // namespace hg::serve
