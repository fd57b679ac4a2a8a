// SPDX-License-Identifier: Apache-2.0
#include "core/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace hg {
namespace {

std::string clock_text(double seconds) {
    const auto whole = static_cast<long>(seconds + 0.5);
    constexpr long hour = 3600;
    if (whole >= hour) {
        return fmt::format("{}:{:02}:{:02}", whole / hour, whole % hour / 60, whole % 60);
    }
    return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string rate_text(double rate) {
    if (rate >= 1e6) {
        return fmt::format("{:.1f}M/s", rate / 1e6);
    }
    if (rate >= 1e4) {
        return fmt::format("{:.0f}k/s", rate / 1e3);
    }
    return fmt::format("{:.{}f}/s", rate, rate < 10 ? 2 : 0);
}

}  // namespace

std::string TerminalProgress::render(const State& state) {
    const double rate = state.seconds > 0 ? static_cast<double>(state.done) / state.seconds : 0;
    std::string line = fmt::format("{:<14}", state.label);
    if (state.total > 0) {
        constexpr std::size_t width = 24;
        const auto filled = std::min(width, width * state.done / state.total);
        line += fmt::format(
            " [{}{}] {}/{}",
            std::string(filled, '='),
            std::string(width - filled, ' '),
            state.done,
            state.total
        );
    } else {
        line += fmt::format(" {}", state.done);
    }
    line += fmt::format(" {}  {}", state.unit, rate_text(rate));
    if (state.finished) {
        line += fmt::format("  in {}", clock_text(state.seconds));
    } else if (state.total > state.done && rate > 0) {
        line += fmt::format(
            "  ETA {}", clock_text(static_cast<double>(state.total - state.done) / rate)
        );
    }
    if (!state.note.empty()) {
        line += fmt::format("  {}", state.note);
    }
    return line;
}

void TerminalProgress::show(const State& state) {
    constexpr double interval_s = 0.1;
    if (!state.finished && last_shown_ >= 0 && state.seconds >= last_shown_ &&
        state.seconds - last_shown_ < interval_s) {
        return;
    }
    last_shown_ = state.finished ? -1 : state.seconds;
    fmt::print(stderr, "\r\x1b[K{}{}", render(state), state.finished ? "\n" : "");
    std::fflush(stderr);
}

Progress::Progress(ProgressSink& sink, std::string label, std::size_t total, std::string unit)
    : sink_(sink), label_(std::move(label)), unit_(std::move(unit)), total_(total) {
    report(false);
}

Progress::~Progress() {
    report(true);
}

void Progress::advance(std::size_t steps) {
    set(done_ + steps);
}

void Progress::set(std::size_t done) {
    done_ = done;
    report(false);
}

void Progress::report(bool finished) {
    sink_.show({
        .label = label_,
        .unit = unit_,
        .note = note_,
        .done = done_,
        .total = total_,
        .seconds = watch_.seconds(),
        .finished = finished,
    });
}

}  // namespace hg
