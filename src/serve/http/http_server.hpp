// SPDX-License-Identifier: Apache-2.0
// HttpServer: HTTP/1.1 with keep-alive on a pool of threads, every limit stated; Boost.Beast
// inside.
//
// The handler runs on a pool thread and may answer at once or later, from any thread. Limits:
// header bytes, body bytes, time for a header, for a body and between requests, number of
// connections and bytes of large bodies in work at once (503 above either).
//
//   HttpServer server{{.port = 0}, [](auto request, auto reply) { reply(answer(request)); }};
//   announce(server.port());
//   server.run(stop);  // returns after a drain of at most drain_seconds
#pragma once

#include "serve/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

namespace hg::serve {

struct HttpServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0 = any free one
    unsigned threads = 2;
    std::uint32_t max_header_bytes = 16U << 10U;
    std::uint64_t max_body_bytes = 32U << 20U;
    std::size_t max_connections = 1024;
    /// Of bodies above large_body_bytes in work at once, all together; 503 beyond. A body of small
    /// JSON objects takes ten times its size while it is parsed, so this bounds the memory.
    std::uint64_t max_large_bodies_bytes = 32U << 20U;
    std::uint64_t large_body_bytes = 256U << 10U;
    unsigned header_seconds = 10;
    unsigned body_seconds = 30;
    unsigned idle_seconds = 60;
    unsigned write_seconds = 30;
    unsigned drain_seconds = 10;
};

class HttpServer {
  public:
    using Handler = std::function<void(HttpRequest, Reply)>;

    /// Binds and listens; throws Error (the port is taken, the host is not ours).
    HttpServer(HttpServerOptions options, Handler handler);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    HttpServer(HttpServer&&) = delete;
    HttpServer& operator=(HttpServer&&) = delete;
    ~HttpServer();

    /// Serves until the stop is requested: then stops accepting, lets requests finish, closes.
    void run(const std::stop_token& stop);

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;

    class Impl;

  private:
    std::shared_ptr<Impl> impl_;
};

}  // namespace hg::serve
