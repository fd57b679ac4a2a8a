// SPDX-License-Identifier: Apache-2.0
// Connection: one client of the HTTP server. Connections: what all of them share.
//
//   std::make_shared<Connection>(std::move(socket), connections, is_refused)->start();
#pragma once

#include "serve/http/beast.hpp"
#include "serve/http/http_server.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace hg::serve {

class Connection;

/// Thread-safe.
class Connections {
  public:
    Connections(HttpServerOptions given, HttpServer::Handler handle)
        : options(std::move(given)), handler(std::move(handle)) {}

    const HttpServerOptions options;
    const HttpServer::Handler handler;

    /// Whether there is room for a body of that size; if so it is taken.
    [[nodiscard]] bool take_room(std::uint64_t bytes);
    void give_room_back(std::uint64_t bytes);

    void enter(Connection* connection);
    void leave(Connection* connection);

    [[nodiscard]] std::size_t count() const { return count_; }

    /// From here on a connection ends with the request it is at; those that wait for one end now.
    void stop();

    [[nodiscard]] bool is_stopping() const { return is_stopping_; }

    void wait_until_empty(std::chrono::seconds at_most);
    /// When no thread runs them any more.
    void abandon();

  private:
    [[nodiscard]] std::vector<std::shared_ptr<Connection>> alive();

    std::atomic<bool> is_stopping_ = false;
    std::atomic<std::size_t> count_ = 0;
    std::atomic<std::uint64_t> large_bodies_bytes_ = 0;
    std::mutex mutex_;
    std::condition_variable left_;
    std::unordered_set<Connection*> open_;
};

/// From its making until its end a connection is one of them.
class Membership {
  public:
    Membership(Connections& connections, Connection* connection)
        : connections_(connections), connection_(connection) {
        connections_.enter(connection_);
    }

    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;
    Membership(Membership&&) = delete;
    Membership& operator=(Membership&&) = delete;

    ~Membership() { connections_.leave(connection_); }

  private:
    Connections& connections_;
    Connection* connection_;
};

/// All members are used on its strand only, but stop() and abandon().
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// `is_refused`: there are too many; it is told so and closed.
    Connection(
        boost::asio::ip::tcp::socket socket,
        std::shared_ptr<Connections> connections,
        bool is_refused
    );
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection(Connection&&) = delete;
    Connection& operator=(Connection&&) = delete;
    ~Connection();

    void start();

    /// From any thread: a connection that waits for its next request is closed, a busy one
    /// finishes.
    void stop();

    /// When no thread runs the context any more.
    void abandon() { close(); }

  private:
    void wait_for_request();
    void read_header();
    void read_body();
    /// Parses what has come at once: most requests are whole in their first bytes, and every
    /// asynchronous step is a trip through the executor's queue. False: it was no request and is
    /// refused.
    [[nodiscard]] bool parse_buffered();
    /// A small body is nobody's concern; one of unknown size counts as the largest.
    [[nodiscard]] bool reserve_body();
    void free_body();
    [[nodiscard]] bool send_continue();
    void handle();
    void refuse(const boost::beast::error_code& error);
    void write(HttpResponse answer, bool keep);
    /// Closing with unread bytes resets the connection and may destroy the answer on its way: reads
    /// on a little.
    void linger();
    void read_on(std::size_t n_read);
    void close();

    std::shared_ptr<Connections> connections_;
    Membership membership_;  // before the stream: who leaves has closed it
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
    std::string peer_;
    unsigned version_ = 11;
    std::uint64_t reserved_ = 0;  // of the body in work
    bool is_refused_;
    bool is_idle_ = false;
    bool is_head_ = false;
};

}  // namespace hg::serve
