// SPDX-License-Identifier: Apache-2.0
// honeyguide: a log and a catalogue in, a recommender that keeps learning out.
#include "app/commands.hpp"
#include "app/interrupt.hpp"
#include "app/version.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "train/threads.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace hg::app {

namespace {

/// CLI11 wants one name per option; ours are declared by the verbs.
struct CommandLine {
    CLI::App app{"honeyguide: a recommender engine that learns each user", "honeyguide"};
    std::map<const CLI::App*, Run> runs;
    bool verbose = false;
    bool quiet = false;
    int threads = 0;
};

std::string not_negative(const std::string& text) {
    return text.starts_with('-') ? fmt::format("{} is negative", text) : std::string{};
}

/// Of a verb and its sub-verbs: CLI11 would let -1 wrap around.
void refuse_negative_counts(CLI::App& verb) {
    for (auto* option : verb.get_options()) {
        if (option->get_type_name().starts_with("UINT")) {
            option->check(not_negative);
        }
    }
    for (auto* sub : verb.get_subcommands([](CLI::App* /*any*/) { return true; })) {
        refuse_negative_counts(*sub);
    }
}

std::unique_ptr<CommandLine> declare_all() {
    auto line = std::make_unique<CommandLine>();
    line->app.require_subcommand(1);
    line->app.set_version_flag("--version", std::string{version});
    line->app.add_flag("-v,--verbose", line->verbose, "log debug events too");
    line->app.add_flag("-q,--quiet", line->quiet, "no progress bars, log errors only");
    line->app
        .add_option("--threads", line->threads, "for tensor work; 0 = one per core, at most 8")
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
    line->app.footer(
        "Start here: honeyguide demo\nEvery verb explains itself: honeyguide VERB --help"
    );
    for (const auto* command : commands()) {
        auto* verb =
            line->app.add_subcommand(std::string{command->name}, std::string{command->summary});
        verb->fallthrough();  // the options above may also stand after the verb
        verb->footer(fmt::format("Example:\n  {}", command->example));
        line->runs[verb] = command->declare(*verb);
        refuse_negative_counts(*verb);
    }
    return line;
}

int run(CommandLine& line, const Interrupt& interrupt) {
    log::set_level(
        line.verbose ? log::Level::debug
        : line.quiet ? log::Level::error
                     : log::Level::info
    );
    train::set_threads(line.threads);
    SilentProgress silent;
    TerminalProgress terminal;
    const bool is_shown = ::isatty(STDERR_FILENO) != 0 && !line.quiet;
    Session session{
        .progress = is_shown ? static_cast<ProgressSink&>(terminal) : silent,
        .stop = interrupt.token(),
        .threads = line.threads,
    };
    return line.runs.at(line.app.get_subcommands().front())(session);
}

int print_error(const Error& error) {
    fmt::print(stderr, "honeyguide: {}\n", error.message());
    if (!error.hint().empty()) {
        fmt::print(stderr, "  -> {}\n", error.hint());
    }
    return exit_code(error.code());
}

}  // namespace
}  // namespace hg::app

int main(int argc, char** argv) {
    using namespace hg;  // NOLINT(google-build-using-namespace): main is all of this file's outside
    try {
        const app::Interrupt interrupt;
        auto line = app::declare_all();
        try {
            line->app.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            constexpr int usage = 2;
            return line->app.exit(error) == 0 ? 0 : usage;
        }
        const int status = app::run(*line, interrupt);
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
            throw Error{
                ErrorCode::exhausted, "standard output could not be written", "is the disk full?"
            };
        }
        return status;
    } catch (const Error& error) {
        return app::print_error(error);
    } catch (const std::exception& error) {
        fmt::print(stderr, "honeyguide: {}\n", error.what());
        return 1;
    }
}
