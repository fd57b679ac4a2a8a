// SPDX-License-Identifier: Apache-2.0
#include "serve/http/connection.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <functional>
#include <string_view>

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

}  // namespace

bool Connections::take_room(std::uint64_t bytes) {
    const auto most = std::max(options.max_large_bodies_bytes, options.max_body_bytes);
    auto taken = large_bodies_bytes_.load();
    while (taken + bytes <= most) {  // one that is refused is never counted against another
        if (large_bodies_bytes_.compare_exchange_weak(taken, taken + bytes)) {
            return true;
        }
    }
    return false;
}

void Connections::give_room_back(std::uint64_t bytes) {
    large_bodies_bytes_.fetch_sub(bytes);
    // What parsing took in a thousand small pieces is kept by the allocator, once per thread.
    ::malloc_trim(0);
}

void Connections::enter(Connection* connection) {
    const std::scoped_lock lock{mutex_};
    open_.insert(connection);
    ++count_;
}

void Connections::leave(Connection* connection) {
    const std::scoped_lock lock{mutex_};
    open_.erase(connection);
    --count_;
    left_.notify_all();
}

std::vector<std::shared_ptr<Connection>> Connections::alive() {
    std::vector<std::shared_ptr<Connection>> connections;
    const std::scoped_lock lock{mutex_};
    for (auto* connection : open_) {
        // weak_from_this: the last reference may be going away on another thread right now.
        if (auto shared = connection->weak_from_this().lock()) {
            connections.push_back(std::move(shared));
        }
    }
    return connections;
}

void Connections::stop() {
    is_stopping_ = true;
    for (const auto& connection : alive()) {
        connection->stop();
    }
}

void Connections::wait_until_empty(seconds at_most) {
    std::unique_lock lock{mutex_};
    left_.wait_for(lock, at_most, [this] { return open_.empty(); });
}

void Connections::abandon() {
    for (const auto& connection : alive()) {
        connection->abandon();
    }
}

Connection::Connection(
    tcp::socket socket, std::shared_ptr<Connections> connections, bool is_refused
)
    : connections_(std::move(connections)),
      membership_(*connections_, this),
      stream_(std::move(socket)),
      is_refused_(is_refused) {
    beast::error_code error;
    stream_.socket().set_option(tcp::no_delay(true), error);
    stream_.socket().non_blocking(true, error);  // an answer is tried at once, see write()
    const auto endpoint = stream_.socket().remote_endpoint(error);
    if (!error) {
        peer_ = endpoint.address().to_string();
    }
}

Connection::~Connection() {
    free_body();
}

void Connection::start() {
    net::dispatch(stream_.get_executor(), [self = shared_from_this()] {
        if (self->is_refused_) {
            self->write(
                error_response(Error{
                    ErrorCode::unavailable,
                    "the server has all the connections it takes",
                    "try again"
                }),
                false
            );
        } else {
            self->read_header();
        }
    });
}

void Connection::stop() {
    net::post(stream_.get_executor(), [self = shared_from_this()] {
        if (self->is_idle_) {
            self->stream_.cancel();
        }
    });
}

void Connection::wait_for_request() {
    if (connections_->is_stopping()) {
        return close();
    }
    if (buffer_.size() > 0) {  // pipelined
        net::post(stream_.get_executor(), [self = shared_from_this()] { self->read_header(); });
        return;
    }
    is_idle_ = true;
    stream_.expires_after(seconds{connections_->options.idle_seconds});
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

bool Connection::parse_buffered() {
    if (buffer_.size() == 0) {
        return true;
    }
    beast::error_code error;
    const auto used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error && error != http::error::need_more) {
        refuse(error);
        return false;
    }
    return true;
}

void Connection::read_header() {
    parser_.emplace();
    version_ = 11;
    is_head_ = false;
    parser_->header_limit(connections_->options.max_header_bytes);
    parser_->body_limit(connections_->options.max_body_bytes);
    if (!parse_buffered()) {
        return;
    }
    if (parser_->is_header_done()) {
        return read_body();
    }
    stream_.expires_after(seconds{connections_->options.header_seconds});
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

bool Connection::reserve_body() {
    const auto& options = connections_->options;
    const auto announced = parser_->content_length();
    const auto bytes = announced            ? std::min(*announced, options.max_body_bytes)
                       : parser_->chunked() ? options.max_body_bytes
                                            : 0;
    if (bytes <= options.large_body_bytes) {
        return true;
    }
    if (!connections_->take_room(bytes)) {
        return false;
    }
    reserved_ = bytes;
    return true;
}

void Connection::free_body() {
    if (reserved_ > 0) {
        connections_->give_room_back(std::exchange(reserved_, 0));
    }
}

void Connection::read_body() {
    if (!reserve_body()) {
        const auto* const what = "the server has all the large bodies in work that it takes";
        return write(
            error_response(Error{ErrorCode::unavailable, what, "send smaller batches, or try again"}
            ),
            false
        );
    }
    const bool awaits = beast::iequals(parser_->get()[http::field::expect], "100-continue");
    if (awaits && !send_continue()) {
        return close();
    }
    parser_->eager(true);
    if (!parser_->is_done() && !parse_buffered()) {
        return;
    }
    if (parser_->is_done()) {
        return handle();
    }
    stream_.expires_after(seconds{connections_->options.body_seconds});
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

bool Connection::send_continue() {
    static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    beast::error_code error;
    const auto sent = stream_.socket().write_some(net::buffer(line.data(), line.size()), error);
    return !error && sent == line.size();  // no room for it: answers that nobody reads
}

void Connection::handle() {
    auto message = parser_->release();
    version_ = message.version();
    is_head_ = message.method() == http::verb::head;
    const bool keep = message.keep_alive();
    stream_.expires_never();
    connections_->handler(
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

void Connection::refuse(const beast::error_code& error) {
    auto response = answer_to(error);
    if (!response) {
        return close();
    }
    write(std::move(*response), false);
}

void Connection::write(HttpResponse answer, bool keep) {
    free_body();
    keep = keep && !connections_->is_stopping();
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
    auto done = [self = shared_from_this(), message, writing, keep](
                    const beast::error_code& error, std::size_t
                ) {
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
    stream_.expires_after(seconds{connections_->options.write_seconds});
    http::async_write(stream_, *writing, std::move(done));
}

void Connection::linger() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(seconds{2});  // for all of it
    buffer_.clear();
    read_on(0);
}

void Connection::read_on(std::size_t n_read) {
    constexpr std::size_t chunk = 64U << 10U;
    constexpr std::size_t most = 64U << 20U;
    if (n_read > most || connections_->is_stopping()) {
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

void Connection::close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.socket().close(ignored);
}

}  // namespace hg::serve
