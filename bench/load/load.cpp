// SPDX-License-Identifier: Apache-2.0
// load: asks a running server for slates or sends it events, and says how long answers took.
//
// Open loop: request i is due at start + i / rate, whether or not earlier ones were answered; its
// latency is counted from when it was due, so a stalled server cannot hide its stall by slowing the
// clients down (coordinated omission; Tene, 2013). --rate 0 is a closed loop: as fast as the
// connections go. One thread a connection, keep-alive, plain sockets: the generator costs little
// beside the server.
//
//   load --port 8080 --mode recommend --rate 500 --seconds 10 --connections 32 --users 500
//   --after-event 0.1
#include "core/rng.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::uint16_t port = 8080;
    std::string mode = "recommend";  // recommend | events
    double rate = 0;                 // requests a second in all; 0 = closed loop
    double seconds = 10;
    std::size_t connections = 32;
    std::size_t users = 500;
    std::size_t items = 1000;     // ids 1..items are clicked on
    double after_event = 0.1;     // share of slates asked right after an event of the same user
    std::size_t batch = 1;        // events a request
    std::string prefix = "load";  // of user and event ids
    std::string item_prefix;      // before the number of an item
};

class Connection {
  public:
    explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        is_open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection(Connection&&) = delete;
    Connection& operator=(Connection&&) = delete;

    ~Connection() { ::close(socket_); }

    /// The status, 0 when the connection broke.
    int post(std::string_view path, std::string_view body) {
        if (!is_open_) {
            return 0;
        }
        request_.clear();
        fmt::format_to(
            std::back_inserter(request_),
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
            "application/json\r\nContent-Length: {}\r\n\r\n{}",
            path,
            body.size(),
            body
        );
        for (std::size_t sent = 0; sent < request_.size();) {
            const auto n =
                ::send(socket_, request_.data() + sent, request_.size() - sent, MSG_NOSIGNAL);
            if (n <= 0) {
                return broken();
            }
            sent += static_cast<std::size_t>(n);
        }
        return read_answer();
    }

  private:
    int broken() {
        is_open_ = false;
        return 0;
    }

    int read_answer() {
        answer_.clear();
        std::size_t end = std::string::npos;
        std::size_t total = 0;
        char buffer[16384];
        while (end == std::string::npos || answer_.size() < total) {
            const auto n = ::recv(socket_, buffer, sizeof buffer, 0);
            if (n <= 0) {
                return broken();
            }
            answer_.append(buffer, static_cast<std::size_t>(n));
            if (end == std::string::npos && (end = answer_.find("\r\n\r\n")) != std::string::npos) {
                const auto length = answer_.find("Content-Length: ");
                total = end + 4 + std::strtoul(answer_.c_str() + length + 16, nullptr, 10);
            }
        }
        return std::atoi(answer_.c_str() + 9);
    }

    int socket_;
    bool is_open_;
    std::string request_;
    std::string answer_;
};

struct Measured {
    std::vector<double> milliseconds;
    std::vector<double> to_changed_list;  // of those after an event: from when that was due
    std::size_t failed = 0;
};

class Worker {
  public:
    Worker(const Options& options, std::size_t number)
        : options_(options),
          number_(number),
          rng_(hg::Rng{1}.split(number)),
          connection_(options.port) {}

    void warm_up(std::size_t user) {
        (void)connection_.post("/v1/events", events(user, 3));
        (void)connection_.post("/v1/recommend", wish(user));
    }

    void run(std::atomic<std::size_t>& next, Clock::time_point start, Clock::time_point end) {
        while (true) {
            const auto index = next.fetch_add(1);
            auto due = Clock::now();
            if (options_.rate > 0) {
                due = start +
                      std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>(static_cast<double>(index) / options_.rate)
                      );
            }
            if (due >= end) {
                return;
            }
            std::this_thread::sleep_until(due);
            one(due);
        }
    }

    Measured measured;

  private:
    void one(Clock::time_point due) {
        const auto user = rng_.below(options_.users);
        const auto all_due = due;
        bool is_after_event = false;
        int status = 0;
        if (options_.mode == "events") {
            status = connection_.post("/v1/events", events(user, options_.batch));
        } else {
            is_after_event = rng_.uniform() < options_.after_event;
            if (is_after_event) {
                const auto before = Clock::now();
                (void)connection_.post("/v1/events", events(user, 1));
                due += Clock::now() - before;  // the event's own time is not the slate's
            }
            status = connection_.post("/v1/recommend", wish(user));
        }
        using Milliseconds = std::chrono::duration<double, std::milli>;
        const auto now = Clock::now();
        measured.milliseconds.push_back(Milliseconds{now - due}.count());
        if (is_after_event) {
            measured.to_changed_list.push_back(Milliseconds{now - all_due}.count());
        }
        measured.failed += status == 200 ? 0 : 1;
    }

    [[nodiscard]] std::string wish(std::size_t user) const {
        return fmt::format(R"({{"user_id":"{}-{}","k":10}})", options_.prefix, user);
    }

    std::string events(std::size_t user, std::size_t count) {
        std::string body = R"({"events":[)";
        for (std::size_t i = 0; i < count; ++i) {
            fmt::format_to(
                std::back_inserter(body),
                R"({}{{"event_id":"{}-{}-{}","user_id":"{}-{}","item_id":"{}{}","event":"click"}})",
                i > 0 ? "," : "",
                options_.prefix,
                number_,
                sent_++,
                options_.prefix,
                user,
                options_.item_prefix,
                1 + rng_.below(options_.items)
            );
        }
        return body + "]}";
    }

    const Options& options_;
    std::size_t number_;
    std::size_t sent_ = 0;
    hg::Rng rng_;
    Connection connection_;
};

Options parse(int argc, char** argv) {
    Options o;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name{argv[i]};
        const char* value = argv[i + 1];
        const auto number = [&] { return std::strtod(value, nullptr); };
        if (name == "--port") {
            o.port = static_cast<std::uint16_t>(number());
        } else if (name == "--mode") {
            o.mode = value;
        } else if (name == "--rate") {
            o.rate = number();
        } else if (name == "--seconds") {
            o.seconds = number();
        } else if (name == "--connections") {
            o.connections = static_cast<std::size_t>(number());
        } else if (name == "--users") {
            o.users = static_cast<std::size_t>(number());
        } else if (name == "--items") {
            o.items = static_cast<std::size_t>(number());
        } else if (name == "--after-event") {
            o.after_event = number();
        } else if (name == "--batch") {
            o.batch = static_cast<std::size_t>(number());
        } else if (name == "--prefix") {
            o.prefix = value;
        } else if (name == "--item-prefix") {
            o.item_prefix = value;
        } else {
            fmt::print(stderr, "unknown option {}\n", name);
            std::exit(2);
        }
    }
    return o;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::size_t i = 0; i < options.connections; ++i) {
        workers.push_back(std::make_unique<Worker>(options, i));
    }
    if (options.mode == "recommend") {
        for (std::size_t user = 0; user < options.users; ++user) {
            workers[user % workers.size()]->warm_up(user);
        }
    }
    std::atomic<std::size_t> next = 0;
    const auto start = Clock::now();
    const auto end =
        start +
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
    {
        std::vector<std::jthread> threads;
        for (auto& worker : workers) {
            threads.emplace_back([&worker, &next, start, end] { worker->run(next, start, end); });
        }
    }
    const std::chrono::duration<double> took = Clock::now() - start;
    std::vector<double> all;
    std::vector<double> changed;
    std::size_t failed = 0;
    for (const auto& worker : workers) {
        all.insert(
            all.end(), worker->measured.milliseconds.begin(), worker->measured.milliseconds.end()
        );
        changed.insert(
            changed.end(),
            worker->measured.to_changed_list.begin(),
            worker->measured.to_changed_list.end()
        );
        failed += worker->measured.failed;
    }
    if (all.empty()) {
        return 1;
    }
    std::ranges::sort(all);
    std::ranges::sort(changed);
    const auto of = [](const std::vector<double>& sorted, double share) {
        const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
        return sorted.empty() ? 0.0 : sorted[std::min(sorted.size() - 1, place)];
    };
    const auto at = [&](double share) { return of(all, share); };
    fmt::print(
        "{{\"mode\":\"{}\",\"rate\":{},\"requests\":{},\"failed\":{},\"per_second\":{:.0f},"
        "\"batch\":{},\"p50_ms\":{:.3f},"
        "\"p90_ms\":{:.3f},\"p99_ms\":{:.3f},\"p999_ms\":{:.3f},\"max_ms\":{:.3f},"
        "\"changed_list_p50_ms\":{:.3f},\"changed_list_p99_ms\":{:.3f}}}\n",
        options.mode,
        options.rate,
        all.size(),
        failed,
        static_cast<double>(all.size()) / took.count(),
        options.batch,
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        all.back(),
        of(changed, 0.5),
        of(changed, 0.99)
    );
    return failed > 0 ? 1 : 0;
}
