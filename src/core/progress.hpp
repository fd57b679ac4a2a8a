// SPDX-License-Identifier: Apache-2.0
// Progress: a bar with rate and time left on long work; silent when stderr is no terminal.
//
// Rooms take a ProgressSink& and never print; app/ decides what it is. One sink serves one piece of
// work at a time; not thread-safe.
//
//   Progress bar{sink, "encode", n_items, "items"};
//   bar.advance(batch_size);                       // the destructor ends the line
#pragma once

#include "core/clock.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace hg {

class ProgressSink {
  public:
    ProgressSink() = default;
    ProgressSink(const ProgressSink&) = delete;
    ProgressSink& operator=(const ProgressSink&) = delete;
    ProgressSink(ProgressSink&&) = delete;
    ProgressSink& operator=(ProgressSink&&) = delete;
    virtual ~ProgressSink() = default;

    struct State {
        std::string_view label;
        std::string_view unit;
        std::string_view note;  // "loss 0.41", free text at the end of the line
        std::size_t done = 0;
        std::size_t total = 0;  // 0 = unknown
        double seconds = 0;
        bool finished = false;
    };

    virtual void show(const State& state) = 0;
};

/// Shows nothing: tests, --json, no terminal.
class SilentProgress final : public ProgressSink {
  public:
    void show(const State& /*state*/) override {}
};

/// Redraws one line of stderr at most ten times a second.
class TerminalProgress final : public ProgressSink {
  public:
    void show(const State& state) override;

    /// The line for a state: "encode  [=====>    ] 1234/1682 items  410/s  ETA 0:01  note".
    [[nodiscard]] static std::string render(const State& state);

  private:
    double last_shown_ = -1;
};

/// One piece of work; reports to the sink, which outlives it.
class Progress {
  public:
    Progress(ProgressSink& sink, std::string label, std::size_t total, std::string unit);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    Progress(Progress&&) = delete;
    Progress& operator=(Progress&&) = delete;
    ~Progress();

    void advance(std::size_t steps = 1);
    void set(std::size_t done);

    void note(std::string text) { note_ = std::move(text); }

  private:
    void report(bool finished);

    ProgressSink& sink_;
    std::string label_;
    std::string unit_;
    std::string note_;
    std::size_t done_ = 0;
    std::size_t total_;
    Stopwatch watch_;
};

}  // namespace hg
