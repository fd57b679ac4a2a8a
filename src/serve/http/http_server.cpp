// SPDX-License-Identifier: Apache-2.0
// The one translation unit with Beast in it (half a minute to compile): keep it small.
#include "serve/http/http_server.hpp"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>  // Boost 1.74's asio needs it before its own headers
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#pragma GCC diagnostic pop

#include <fmt/format.h>

namespace hg::serve {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = net::ip::tcp;
using Writing = http::response_serializer<http::string_body>;
using std::chrono::seconds;

std::string text(boost::string_view view) {
    return {view.data(), view.size()};
}

Method method_of(http::verb verb) {
    switch (verb) {
        case http::verb::get:
            return Method::get;
        case http::verb::head:
            return Method::head;
        case http::verb::post:
            return Method::post;
        case http::verb::put:
            return Method::put;
        case http::verb::patch:
            return Method::patch;
        case http::verb::delete_:
            return Method::del;
        default:
            return Method::other;
    }
}

HttpRequest take_request(http::request<http::string_body>& message, const std::string& peer) {
    return {
        .method = method_of(message.method()),
        .target = text(message.target()),
        .body = std::move(message.body()),
        .host = text(message[http::field::host]),
        .origin = text(message[http::field::origin]),
        .authorization = text(message[http::field::authorization]),
        .api_key = text(message["X-API-Key"]),
        .peer = peer,
    };
}

/// The answer to bytes that are no request, or none we take; nothing when the client just left or
/// let its time run out (Beast has closed the socket then).
std::optional<HttpResponse> answer_to(const beast::error_code& error) {
    if (error == http::error::body_limit) {
        return error_response(
            413, "too_large", "the body is larger than this server takes", "send smaller batches"
        );
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return error_response(
            431, "too_large", "the request line and headers are too large", "shorten them"
        );
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message) {
        return std::nullopt;
    }
    if (error.category() == http::make_error_code(http::error::end_of_stream).category()) {
        return error_response(
            400,
            "invalid_argument",
            fmt::format("this is not HTTP: {}", error.message()),
            "send HTTP/1.1"
        );
    }
    return std::nullopt;
}

class Connection;

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
  public:
    Impl(HttpServerOptions given, Handler handle)
        : options(std::move(given)),
          handler(std::move(handle)),
          context(static_cast<int>(options.threads)),
          acceptor(context),
          retry(context) {
        beast::error_code error;
        const auto address = net::ip::make_address(options.host, error);
        if (error) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("\"{}\" is not an IP address", options.host),
                "for example 127.0.0.1 or 0.0.0.0",
            };
        }
        const tcp::endpoint endpoint{address, options.port};
        acceptor.open(endpoint.protocol());
        acceptor.set_option(net::socket_base::reuse_address(true));
        acceptor.bind(endpoint, error);
        if (!error) {
            acceptor.listen(net::socket_base::max_listen_connections, error);
        }
        if (error) {
            throw Error{
                ErrorCode::unavailable,
                fmt::format(
                    "cannot listen on {}:{}: {}", options.host, options.port, error.message()
                ),
                "choose another --port (0 picks a free one)",
            };
        }
        port = acceptor.local_endpoint().port();
    }

    void accept();
    void run(const std::stop_token& stop);
    void stop_accepting();
    void close_all();
    /// Whether there is room for a body of that size; if so it is taken.
    [[nodiscard]] bool take_room(std::uint64_t bytes);
    void give_room_back(std::uint64_t bytes);
    void enter(Connection* connection);
    void leave(Connection* connection);
    [[nodiscard]] std::vector<std::shared_ptr<Connection>> alive();

    HttpServerOptions options;
    Handler handler;
    net::io_context context;
    tcp::acceptor acceptor;
    net::steady_timer retry;
    std::uint16_t port = 0;  // as bound
    std::atomic<bool> is_stopping = false;
    std::atomic<std::size_t> n_connections = 0;
    std::atomic<std::uint64_t> large_bodies_bytes = 0;
    std::mutex mutex;
    std::condition_variable changed;
    std::unordered_set<Connection*> open;
};

namespace {

/// One client. All members are used on its strand only.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(tcp::socket socket, std::shared_ptr<HttpServer::Impl> server, bool is_refused)
        : stream_(std::move(socket)), server_(std::move(server)), is_refused_(is_refused) {
        beast::error_code error;
        stream_.socket().set_option(tcp::no_delay(true), error);
        stream_.socket().non_blocking(true, error);  // an answer is tried at once, see write()
        const auto endpoint = stream_.socket().remote_endpoint(error);
        if (!error) {
            peer_ = endpoint.address().to_string();
        }
        server_->enter(this);
    }

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection(Connection&&) = delete;
    Connection& operator=(Connection&&) = delete;

    ~Connection() {
        free_body();
        server_->leave(this);
    }

    void start() {
        net::dispatch(stream_.get_executor(), [self = shared_from_this()] {
            if (self->is_refused_) {
                auto busy = error_response(
                    503, "unavailable", "the server has all the connections it takes", "try again"
                );
                busy.headers.emplace_back("Retry-After", "1");
                self->write(std::move(busy), false);
            } else {
                self->read_header();
            }
        });
    }

    /// From any thread: a connection that waits for its next request is closed, a busy one
    /// finishes.
    void stop() {
        net::post(stream_.get_executor(), [self = shared_from_this()] {
            if (self->is_idle_) {
                self->stream_.cancel();
            }
        });
    }

    /// When no thread runs the context any more.
    void abandon() { close(); }

  private:
    void wait_for_request() {
        if (server_->is_stopping) {
            return close();
        }
        if (buffer_.size() > 0) {  // pipelined
            net::post(stream_.get_executor(), [self = shared_from_this()] { self->read_header(); });
            return;
        }
        is_idle_ = true;
        stream_.expires_after(seconds{server_->options.idle_seconds});
        stream_.async_read_some(
            buffer_.prepare(4096),
            [self = shared_from_this()](const beast::error_code& error, std::size_t n) {
                self->is_idle_ = false;
                if (error) {
                    return self->close();
                }
                self->buffer_.commit(n);
                self->read_header();
            }
        );
    }

    /// Parses what has come at once: most requests are whole in their first bytes, and every
    /// asynchronous step is a trip through the executor's queue. need_more: read on.
    beast::error_code parse_buffered() {
        beast::error_code error;
        const auto used = parser_->put(buffer_.data(), error);
        buffer_.consume(used);
        return error;
    }

    void read_header() {
        parser_.emplace();
        parser_->header_limit(server_->options.max_header_bytes);
        parser_->body_limit(server_->options.max_body_bytes);
        if (buffer_.size() > 0) {
            const auto error = parse_buffered();
            if (error && error != http::error::need_more) {
                return refuse(error);
            }
            if (parser_->is_header_done()) {
                return read_body();
            }
        }
        stream_.expires_after(seconds{server_->options.header_seconds});
        http::async_read_header(
            stream_,
            buffer_,
            *parser_,
            [self = shared_from_this()](const beast::error_code& error, std::size_t /*n*/) {
                if (error) {
                    return self->refuse(error);
                }
                self->read_body();
            }
        );
    }

    /// A small body is nobody's concern; one of unknown size counts as the largest.
    bool reserve_body() {
        const auto& options = server_->options;
        const auto announced = parser_->content_length();
        const auto bytes = announced            ? std::min(*announced, options.max_body_bytes)
                           : parser_->chunked() ? options.max_body_bytes
                                                : 0;
        if (bytes <= options.large_body_bytes) {
            return true;
        }
        if (!server_->take_room(bytes)) {
            return false;
        }
        reserved_ = bytes;
        return true;
    }

    void free_body() {
        if (reserved_ > 0) {
            server_->give_room_back(std::exchange(reserved_, 0));
        }
    }

    void read_body() {
        if (!reserve_body()) {
            auto busy = error_response(
                503,
                "unavailable",
                "the server has all the large bodies in work that it takes",
                "send smaller batches, or try again"
            );
            busy.headers.emplace_back("Retry-After", "1");
            return write(std::move(busy), false);
        }
        if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
            send_continue();
        }
        parser_->eager(true);
        if (!parser_->is_done() && buffer_.size() > 0) {
            const auto error = parse_buffered();
            if (error && error != http::error::need_more) {
                return refuse(error);
            }
        }
        if (parser_->is_done()) {
            return handle();
        }
        stream_.expires_after(seconds{server_->options.body_seconds});
        http::async_read(
            stream_,
            buffer_,
            *parser_,
            [self = shared_from_this()](const beast::error_code& error, std::size_t /*n*/) {
                if (error) {
                    return self->refuse(error);
                }
                self->handle();
            }
        );
    }

    void send_continue() {
        static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
        beast::error_code ignored;  // a client that is gone shows at the next read
        stream_.socket().write_some(net::buffer(line.data(), line.size()), ignored);
    }

    void handle() {
        auto message = parser_->release();
        version_ = message.version();
        is_head_ = message.method() == http::verb::head;
        const bool keep = message.keep_alive();
        stream_.expires_never();
        server_->handler(
            take_request(message, peer_),
            [self = shared_from_this(), keep](HttpResponse response) {
                net::dispatch(
                    self->stream_.get_executor(),
                    [self, keep, response = std::move(response)]() mutable {
                        self->write(std::move(response), keep);
                    }
                );
            }
        );
    }

    void refuse(const beast::error_code& error) {
        auto response = answer_to(error);
        if (!response) {
            return close();
        }
        write(std::move(*response), false);
    }

    void write(HttpResponse answer, bool keep) {
        free_body();
        keep = keep && !server_->is_stopping;
        auto message = std::make_shared<http::response<http::string_body>>();
        message->result(answer.status);
        message->version(version_);
        message->set(http::field::content_type, answer.content_type);
        message->set("X-Content-Type-Options", "nosniff");
        for (const auto& [name, value] : answer.headers) {
            message->set(name, value);
        }
        message->keep_alive(keep);
        const auto size = answer.body.size();
        if (!is_head_) {
            message->body() = std::move(answer.body);
        }
        message->content_length(size);
        auto writing = std::make_shared<Writing>(*message);
        auto done = [self = shared_from_this(),
                     message,
                     writing,
                     keep](const beast::error_code& error, std::size_t) {
            if (error) {
                return self->close();
            }
            if (keep) {
                return self->wait_for_request();
            }
            self->linger();
        };
        // Most answers fit into the socket's buffer: then nobody waits for them.
        beast::error_code error;
        while (!error && !writing->is_done()) {
            http::write_some(stream_.socket(), *writing, error);
        }
        if (error != net::error::would_block) {
            return done(error, 0);
        }
        stream_.expires_after(seconds{server_->options.write_seconds});
        http::async_write(stream_, *writing, std::move(done));
    }

    /// Closing with unread bytes resets the connection and may destroy the answer on its way: read
    /// on a little.
    void linger() {
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        stream_.expires_after(seconds{2});  // for all of it
        buffer_.clear();
        read_on(0);
    }

    void read_on(std::size_t n_read) {
        constexpr std::size_t chunk = 64U << 10U;
        constexpr std::size_t most = 64U << 20U;
        if (n_read > most || server_->is_stopping) {
            return close();
        }
        stream_.async_read_some(
            buffer_.prepare(chunk),
            [self = shared_from_this(), n_read](const beast::error_code& error, std::size_t n) {
                if (error) {
                    return self->close();
                }
                self->read_on(n_read + n);
            }
        );
    }

    void close() {
        beast::error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
        stream_.socket().close(ignored);
    }

    beast::tcp_stream stream_;
    std::shared_ptr<HttpServer::Impl> server_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::string peer_;
    unsigned version_ = 11;
    std::uint64_t reserved_ = 0;  // of the body in work
    bool is_refused_;
    bool is_idle_ = false;
    bool is_head_ = false;
};

}  // namespace

bool HttpServer::Impl::take_room(std::uint64_t bytes) {
    const auto most = std::max(options.max_large_bodies_bytes, options.max_body_bytes);
    auto taken = large_bodies_bytes.load();
    while (taken + bytes <= most) {  // one that is refused is never counted against another
        if (large_bodies_bytes.compare_exchange_weak(taken, taken + bytes)) {
            return true;
        }
    }
    return false;
}

void HttpServer::Impl::give_room_back(std::uint64_t bytes) {
    large_bodies_bytes.fetch_sub(bytes);
    // What parsing took in a thousand small pieces is kept by the allocator, once per thread.
    ::malloc_trim(0);
}

void HttpServer::Impl::enter(Connection* connection) {
    const std::scoped_lock lock{mutex};
    open.insert(connection);
    ++n_connections;
}

void HttpServer::Impl::leave(Connection* connection) {
    const std::scoped_lock lock{mutex};
    open.erase(connection);
    --n_connections;
    changed.notify_all();
}

void HttpServer::Impl::accept() {
    acceptor.async_accept(
        net::make_strand(context),
        [self = shared_from_this()](const beast::error_code& error, tcp::socket socket) {
            if (self->is_stopping) {
                return;
            }
            if (error) {  // out of descriptors, most likely: they come back
                self->retry.expires_after(std::chrono::milliseconds{50});
                self->retry.async_wait([self](const beast::error_code& cancelled) {
                    if (!cancelled) {
                        self->accept();
                    }
                });
                return;
            }
            const bool is_refused = self->n_connections >= self->options.max_connections;
            std::make_shared<Connection>(std::move(socket), self, is_refused)->start();
            self->accept();
        }
    );
}

std::vector<std::shared_ptr<Connection>> HttpServer::Impl::alive() {
    std::vector<std::shared_ptr<Connection>> connections;
    const std::scoped_lock lock{mutex};
    for (auto* connection : open) {
        // weak_from_this: the last reference may be going away on another thread right now.
        if (auto shared = connection->weak_from_this().lock()) {
            connections.push_back(std::move(shared));
        }
    }
    return connections;
}

void HttpServer::Impl::stop_accepting() {
    is_stopping = true;
    net::post(context, [self = shared_from_this()] {
        beast::error_code ignored;
        self->acceptor.close(ignored);
        self->retry.cancel();
    });
    for (const auto& connection : alive()) {
        connection->stop();
    }
}

void HttpServer::Impl::close_all() {
    for (const auto& connection : alive()) {
        connection->abandon();
    }
}

void HttpServer::Impl::run(const std::stop_token& stop) {
    net::post(acceptor.get_executor(), [self = shared_from_this()] { self->accept(); });
    auto keep_running = net::make_work_guard(context);
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < options.threads; ++i) {
        threads.emplace_back([this] { context.run(); });
    }
    {
        const std::stop_callback wake{stop, [this] {
                                          const std::scoped_lock lock{mutex};
                                          changed.notify_all();
                                      }};
        std::unique_lock lock{mutex};
        changed.wait(lock, [&stop] { return stop.stop_requested(); });
    }
    stop_accepting();
    {
        std::unique_lock lock{mutex};
        changed.wait_for(lock, seconds{options.drain_seconds}, [this] { return open.empty(); });
    }
    keep_running.reset();
    context.stop();
    threads.clear();  // joins
    // What is still waiting holds this object: run its cancellations so that everything is freed.
    close_all();
    context.restart();
    context.poll();
}

HttpServer::HttpServer(HttpServerOptions options, Handler handler)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() = default;

void HttpServer::run(const std::stop_token& stop) {
    impl_->run(stop);
}

std::uint16_t HttpServer::port() const {
    return impl_->port;
}

std::size_t HttpServer::connections() const {
    return impl_->n_connections;
}

}  // namespace hg::serve
