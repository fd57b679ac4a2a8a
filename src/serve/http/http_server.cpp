// SPDX-License-Identifier: Apache-2.0
#include "serve/http/http_server.hpp"

#include "serve/http/connection.hpp"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace hg::serve {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using tcp = net::ip::tcp;

void wait_for(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    stopped.wait(lock, stop, [] { return false; });
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<HttpServer::Impl> {
  public:
    Impl(HttpServerOptions given, Handler handle)
        : connections(std::make_shared<Connections>(std::move(given), std::move(handle))),
          context(static_cast<int>(connections->options.threads)),
          acceptor(context),
          retry(context) {
        const auto& options = connections->options;
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

    std::shared_ptr<Connections> connections;
    net::io_context context;
    tcp::acceptor acceptor;
    net::steady_timer retry;
    std::uint16_t port = 0;  // as bound
};

void HttpServer::Impl::accept() {
    acceptor.async_accept(
        net::make_strand(context),
        [self = shared_from_this()](const beast::error_code& error, tcp::socket socket) {
            if (self->connections->is_stopping()) {
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
            const bool is_refused =
                self->connections->count() >= self->connections->options.max_connections;
            std::make_shared<Connection>(std::move(socket), self->connections, is_refused)->start();
            self->accept();
        }
    );
}

void HttpServer::Impl::stop_accepting() {
    connections->stop();
    net::post(context, [self = shared_from_this()] {
        beast::error_code ignored;
        self->acceptor.close(ignored);
        self->retry.cancel();
    });
}

void HttpServer::Impl::run(const std::stop_token& stop) {
    net::post(acceptor.get_executor(), [self = shared_from_this()] { self->accept(); });
    auto keep_running = net::make_work_guard(context);
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < connections->options.threads; ++i) {
        threads.emplace_back([this] { context.run(); });
    }
    wait_for(stop);
    stop_accepting();
    connections->wait_until_empty(std::chrono::seconds{connections->options.drain_seconds});
    keep_running.reset();
    context.stop();
    threads.clear();  // joins
    // What is still waiting holds this object: run its cancellations so that everything is freed.
    connections->abandon();
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
    return impl_->connections->count();
}

}  // namespace hg::serve
