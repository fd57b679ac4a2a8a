// SPDX-License-Identifier: Apache-2.0
// The server over real sockets on loopback: limits, keep-alive, hostile bytes, shutdown.
#include "serve/http/http_server.hpp"

#include "core/rng.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace hg::serve {
namespace {

class Client {
  public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval timeout{.tv_sec = 20, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        is_connected_ =
            ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Client(Client&&) = delete;
    Client& operator=(Client&&) = delete;

    ~Client() { ::close(socket_); }

    void send(std::string_view bytes) const {
        (void)!::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    void finish_sending() const { ::shutdown(socket_, SHUT_WR); }

    /// Until `until` was read, or the end.
    std::string read(std::string_view until = {}) const {
        std::string all;
        char buffer[4096];
        while (until.empty() || all.find(until) == std::string::npos) {
            const auto n = ::recv(socket_, buffer, sizeof buffer, 0);
            if (n <= 0) {
                break;
            }
            all.append(buffer, static_cast<std::size_t>(n));
        }
        return all;
    }

    [[nodiscard]] bool is_connected() const { return is_connected_; }

  private:
    int socket_;
    bool is_connected_ = false;
};

/// A server that echoes the body, on a thread of its own.
class Running {
  public:
    explicit Running(HttpServerOptions options = {}, HttpServer::Handler handler = echo)
        : server_(options, std::move(handler)),
          thread_([this](const std::stop_token& stop) { server_.run(stop); }) {}

    static void echo(HttpRequest request, const Reply& reply) {
        reply({.status = 200, .body = "<" + request.body + ">", .content_type = "text/plain"});
    }

    void stop() {
        thread_.request_stop();
        thread_.join();
    }

    [[nodiscard]] std::uint16_t port() const { return server_.port(); }

    [[nodiscard]] std::string ask(std::string_view bytes) const {
        const Client client{port()};
        client.send(bytes);
        client.finish_sending();
        return client.read();
    }

    HttpServer& server() { return server_; }

  private:
    HttpServer server_;
    std::jthread thread_;
};

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpServer, answers_two_requests_on_one_connection) {
    const Running server;
    const Client client{server.port()};
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none");
    EXPECT_NE(client.read("<one>").find("200 OK"), std::string::npos);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo");
    EXPECT_NE(client.read("<two>").find("<two>"), std::string::npos);
}

TEST(HttpServer, answers_pipelined_requests_in_order) {
    const Running server;
    const auto all = server.ask(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
    );
    EXPECT_LT(all.find("<a>"), all.find("<b>"));
    EXPECT_NE(all.find("<b>"), std::string::npos);
}

TEST(HttpServer, closes_after_http_1_0_and_connection_close) {
    const Running server;
    EXPECT_NE(server.ask("GET / HTTP/1.0\r\nHost: x\r\n\r\n").find("200 OK"), std::string::npos);
    const Client client{server.port()};
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(client.read().find("200 OK"), std::string::npos);  // read() ends: the server closed
}

TEST(HttpServer, head_has_the_length_and_no_body) {
    const Running server;
    const auto answer = server.ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(answer.find("Content-Length: 2"), std::string::npos);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(HttpServer, a_refusal_after_a_head_has_its_body) {
    const Running server;
    const auto said = server.ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nno HTTP\r\n\r\n");
    EXPECT_NE(said.find("400 Bad Request"), std::string::npos);
    EXPECT_NE(said.find("this is not HTTP"), std::string::npos);
}

TEST(HttpServer, an_answer_larger_than_the_socket_takes_waits_for_its_reader) {
    const std::string large(16U << 20U, 'x');
    const Running server{{}, [&large](const HttpRequest& /*request*/, const Reply& reply) {
                             reply({.status = 200, .body = large, .content_type = "text/plain"});
                         }};
    const Client slow{server.port()};
    slow.send(get);

    const Client other{server.port()};
    other.send(get);
    EXPECT_NE(other.read("200 OK").find("200 OK"), std::string::npos) << "while the first waits";
    const auto whole = slow.read(large);
    EXPECT_EQ(whole.substr(whole.size() - large.size()), large);
    slow.send(get);
    EXPECT_NE(slow.read("200 OK").find("200 OK"), std::string::npos) << "and the next one";
}

TEST(HttpServer, limits_are_answered_with_their_status) {
    const Running server{{.max_header_bytes = 1024, .max_body_bytes = 100}};
    EXPECT_NE(
        server
            .ask(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x')
            )
            .find("413"),
        std::string::npos
    );
    EXPECT_NE(
        server.ask("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(2000, 'x') + "\r\n\r\n")
            .find("431"),
        std::string::npos
    );
}

TEST(HttpServer, a_header_that_does_not_arrive_in_time_is_given_up) {
    const Running server{{.header_seconds = 1}};
    const Client client{server.port()};
    client.send("GET / HT");
    EXPECT_EQ(client.read(), "") << "closed";  // read() ends long before its own timeout
}

TEST(HttpServer, hostile_bytes_get_400_or_a_close_and_the_next_client_is_served) {
    const Running server;
    for (const std::string bytes :
         {"nonsense\r\n\r\n",
          "GET / HTTP/9.9\r\n\r\n",
          "GET\0/ HTTP/1.1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
          "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: "
          "chunked\r\n\r\n0\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"}) {
        const auto answer = server.ask(bytes);
        EXPECT_EQ(answer.find("200 OK"), std::string::npos) << bytes;
        EXPECT_EQ(answer.find(" 500 "), std::string::npos) << bytes;
    }
    EXPECT_NE(server.ask(get).find("200 OK"), std::string::npos);
}

TEST(HttpServer, survives_random_mutations_of_a_request) {
    const Running server;
    Rng rng{5};
    const std::string good = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody";
    for (int round = 0; round < 300; ++round) {
        auto bytes = good;
        for (std::size_t i = 0; i < 1 + rng.below(4); ++i) {
            bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
        }
        if (rng.below(4) == 0) {
            bytes.resize(rng.below(bytes.size()));
        }
        (void)server.ask(bytes);
    }
    EXPECT_NE(server.ask(get).find("200 OK"), std::string::npos);
}

TEST(HttpServer, connections_above_the_cap_are_told_so) {
    const Running server{{.max_connections = 1}};
    const Client first{server.port()};
    first.send(get);
    (void)first.read("<>");
    const Client second{server.port()};
    second.send(get);
    EXPECT_NE(second.read().find("503"), std::string::npos);
}

TEST(HttpServer, large_bodies_in_work_have_a_limit_and_small_ones_pass) {
    const Running server{
        {.max_body_bytes = 1000, .max_large_bodies_bytes = 1000, .large_body_bytes = 100}
    };
    {
        const Client slow{server.port()};
        slow.send(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 800\r\nExpect: 100-continue\r\n\r\n"
        );
        ASSERT_NE(slow.read("\r\n\r\n").find("100 Continue"), std::string::npos) << "in work";
        const auto refused = server.ask(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n" + std::string(300, 'x')
        );
        EXPECT_NE(refused.find("503"), std::string::npos) << refused;
        EXPECT_NE(refused.find("Retry-After"), std::string::npos);
        EXPECT_NE(
            server.ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                .find("503"),
            std::string::npos
        );
        EXPECT_NE(
            server.ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none").find("<one>"),
            std::string::npos
        );
    }
    std::string taken;
    while (taken.find("200 OK") == std::string::npos) {  // the slow one has left
        taken = server.ask(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n" + std::string(300, 'x')
        );
    }
    EXPECT_NE(taken.find("<xxx"), std::string::npos);
}

TEST(HttpServer, a_handler_may_answer_later_from_another_thread) {
    std::vector<std::jthread> workers;
    {
        const Running server{{}, [&workers](HttpRequest, const Reply& reply) {
                                 workers.emplace_back([reply] {
                                     reply({.status = 200, .body = "later"});
                                 });
                             }};
        const Client client{server.port()};
        client.send(get);
        EXPECT_NE(client.read("later").find("later"), std::string::npos);
    }
}

TEST(HttpServer, a_stop_lets_the_request_in_flight_finish_and_closes_idle_connections) {
    std::atomic<bool> is_inside = false;
    std::atomic<bool> may_answer = false;
    Running server{{.threads = 2}, [&](HttpRequest request, const Reply& reply) {
                       if (request.target == "/slow") {
                           is_inside = true;
                           is_inside.notify_all();
                           may_answer.wait(false);
                       }
                       reply({.status = 200, .body = "done"});
                   }};
    const Client idle{server.port()};
    idle.send(get);
    (void)idle.read("done");
    const Client busy{server.port()};
    busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    is_inside.wait(false);

    std::jthread stopper{[&server] { server.stop(); }};
    EXPECT_EQ(idle.read(), "") << "closed while idle";
    may_answer = true;
    may_answer.notify_all();
    const auto answer = busy.read();
    stopper.join();

    EXPECT_NE(answer.find("done"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    const Client late{server.port()};
    EXPECT_FALSE(late.is_connected());
}

TEST(HttpServer, a_taken_port_is_refused_with_a_hint) {
    const Running server;
    try {
        const HttpServer second{{.port = server.port()}, Running::echo};
        FAIL() << "bound twice";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::unavailable);
    }
}

}  // namespace
}  // namespace hg::serve
