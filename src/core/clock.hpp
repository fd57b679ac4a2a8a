// SPDX-License-Identifier: Apache-2.0
// Clock: time comes in by argument, so tests can step it backwards and ten years ahead.
//
//   void handle(Clock& clock) { auto now = clock.now(); }
#pragma once

#include <chrono>
#include <cstdint>

namespace hg {

/// Milliseconds since the Unix epoch (or a position, where a dataset says time = "order").
using TimeMs = std::int64_t;

class Clock {
  public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    Clock(Clock&&) = delete;
    Clock& operator=(Clock&&) = delete;
    virtual ~Clock() = default;

    /// Wall time; may step. For timestamps only, never for intervals.
    [[nodiscard]] virtual TimeMs now() const = 0;
    /// Never goes back. For intervals and timers only.
    [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] TimeMs now() const override {
        using std::chrono::milliseconds;
        return std::chrono::duration_cast<milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch()
        )
            .count();
    }

    [[nodiscard]] std::chrono::nanoseconds monotonic() const override {
        return std::chrono::steady_clock::now().time_since_epoch();
    }
};

/// Stands still until told otherwise.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(TimeMs start = 0) : now_(start) {}

    [[nodiscard]] TimeMs now() const override { return now_; }

    [[nodiscard]] std::chrono::nanoseconds monotonic() const override { return monotonic_; }

    void set(TimeMs now) noexcept { now_ = now; }

    void advance(std::chrono::milliseconds step) noexcept {
        now_ += step.count();
        monotonic_ += step;
    }

  private:
    TimeMs now_;
    std::chrono::nanoseconds monotonic_{};
};

/// Seconds since construction, on the steady clock.
class Stopwatch {
  public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace hg
