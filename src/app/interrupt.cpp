// SPDX-License-Identifier: Apache-2.0
#include "app/interrupt.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>

namespace hg::app {
namespace {

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void wait_for_signals(const std::stop_token& finished, std::stop_source& source) {
    const auto signals = stop_signals();
    constexpr timespec poll{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!finished.stop_requested()) {
        if (sigtimedwait(&signals, nullptr, &poll) < 0) {
            continue;
        }
        if (source.stop_requested()) {
            ::_exit(128 + SIGINT);
        }
        std::fputs("\nstopping: saving what is done (again to stop at once)\n", stderr);
        source.request_stop();
    }
}

}  // namespace

Interrupt::Interrupt() {
    const auto signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): cannot fail for SIGPIPE
    waiter_ = std::jthread{[this](const std::stop_token& finished) {
        wait_for_signals(finished, source_);
    }};
}

Interrupt::~Interrupt() = default;

}  // namespace hg::app
