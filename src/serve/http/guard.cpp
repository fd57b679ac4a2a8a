// SPDX-License-Identifier: Apache-2.0
#include "serve/http/guard.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

namespace hg::serve {
namespace {

constexpr std::size_t max_buckets =
    10'000;  // then full ones are forgotten: they are as good as new
constexpr std::size_t min_key_length = 16;

std::string_view key_of(const HttpRequest& request) {
    constexpr std::string_view bearer = "Bearer ";
    if (!request.api_key.empty()) {
        return request.api_key;
    }
    const std::string_view header{request.authorization};
    return header.starts_with(bearer) ? header.substr(bearer.size()) : std::string_view{};
}

bool is_same_origin(const HttpRequest& request) {
    return request.origin == "http://" + request.host ||
           request.origin == "https://" + request.host;
}

}  // namespace

Guard::Guard(const GuardOptions& options)
    : rate_(options.requests_per_second),
      burst_(std::max(1.0, options.burst > 0 ? options.burst : 2 * options.requests_per_second)) {
    HG_CHECK(sodium_init() >= 0, "libsodium starts");
    for (const auto& key : options.keys) {
        keys_.push_back(digest_of(key));
    }
}

Guard::KeyDigest Guard::digest_of(std::string_view key) {
    KeyDigest digest{};
    crypto_generichash(
        digest.data(),
        digest.size(),
        reinterpret_cast<const unsigned char*>(key.data()),
        key.size(),
        nullptr,
        0
    );
    return digest;
}

bool Guard::is_known(std::string_view key) const {
    const auto given = digest_of(key);
    unsigned matches = 0;
    for (const auto& known : keys_) {
        matches += sodium_memcmp(given.data(), known.data(), digest_size) == 0 ? 1U : 0U;
    }
    return matches > 0;
}

bool Guard::take_token(const std::string& who, std::chrono::nanoseconds now) {
    const std::scoped_lock lock{mutex_};
    if (buckets_.size() >= max_buckets && !buckets_.contains(who)) {
        std::erase_if(buckets_, [&](const auto& entry) {
            const auto idle = std::chrono::duration<double>(now - entry.second.last).count();
            return entry.second.tokens + idle * rate_ >= burst_;
        });
        if (buckets_.size() >= max_buckets) {
            return false;
        }
    }
    auto [entry, is_new] = buckets_.try_emplace(who, Bucket{.tokens = burst_, .last = now});
    auto& bucket = entry->second;
    const auto passed = std::chrono::duration<double>(now - bucket.last).count();
    bucket.tokens = std::min(burst_, bucket.tokens + std::max(0.0, passed) * rate_);
    bucket.last = std::max(bucket.last, now);  // time is not counted twice after a step back
    if (bucket.tokens < 1) {
        return false;
    }
    bucket.tokens -= 1;
    return true;
}

std::optional<HttpResponse> Guard::refuse(
    const HttpRequest& request, Access access, std::chrono::nanoseconds now
) {
    if (!has_keys() && !is_loopback_host(request.host)) {
        return error_response(
            403,
            "forbidden",
            "this server answers only to names of its own machine",
            "use http://127.0.0.1, or start it with a key"
        );
    }
    if (!request.origin.empty() && !is_same_origin(request)) {
        return error_response(
            403,
            "forbidden",
            "requests from pages of another site are refused",
            "ask from your own server"
        );
    }
    if (access == Access::open) {
        return std::nullopt;
    }
    std::string who = request.peer;
    if (has_keys()) {
        const auto key = key_of(request);
        if (key.empty() || !is_known(key)) {
            auto response = error_response(
                401,
                "unauthorized",
                key.empty() ? "a key is needed" : "this key is not known",
                "send Authorization: Bearer KEY"
            );
            response.headers.emplace_back("WWW-Authenticate", "Bearer");
            return response;
        }
        const auto digest = digest_of(key);
        who.assign(digest.begin(), digest.end());
    }
    if (rate_ > 0 && !take_token(who, now)) {
        auto response = error_response(
            429,
            "rate_limited",
            fmt::format("more than {} requests a second", rate_),
            "wait, or send batches"
        );
        response.headers.emplace_back("Retry-After", "1");
        return response;
    }
    return std::nullopt;
}

bool is_loopback_host(std::string_view host) {
    if (host.starts_with('[')) {
        host = host.substr(0, std::min(host.find(']'), host.size() - 1) + 1);
    } else {
        host = host.substr(0, host.find(':'));
    }
    return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

std::vector<std::string> parse_keys(std::string_view text) {
    std::vector<std::string> keys;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
            line.remove_suffix(1);
        }
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        if (line.size() < min_key_length) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("a key of {} characters can be guessed", line.size()),
                "use at least 16; for example: openssl rand -hex 32",
            };
        }
        keys.emplace_back(line);
    }
    return keys;
}

}  // namespace hg::serve
