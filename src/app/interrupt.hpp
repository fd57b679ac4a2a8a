// SPDX-License-Identifier: Apache-2.0
// Interrupt: Ctrl-C and SIGTERM become a stop_token, so that long work saves and can be resumed.
//
// A dedicated thread waits for the signals (sigwait), because little is safe in a handler. The
// second signal ends the process at once. Construct one in main, before any other thread starts.
#pragma once

#include <stop_token>
#include <thread>

namespace hg::app {

class Interrupt {
  public:
    Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;
    Interrupt(Interrupt&&) = delete;
    Interrupt& operator=(Interrupt&&) = delete;
    ~Interrupt();

    [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }

  private:
    std::stop_source source_;
    std::jthread waiter_;
};

}  // namespace hg::app
