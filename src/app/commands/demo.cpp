// SPDX-License-Identifier: Apache-2.0
// honeyguide demo: MovieLens from the raw log to an address a person can open.
#include "app/demo.hpp"

#include "app/command.hpp"
#include "core/clock.hpp"
#include "serve/serve.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace hg::app {
namespace {

struct DemoArguments {
    DemoOptions options;
    std::uint16_t port = 8080;
    bool once = false;
};

/// On the port asked for, or on any free one when that is taken: no reason to fail at the very end.
void serve_somewhere(serve::ServeOptions options, Session& session) {
    try {
        serve::serve(options, session.progress, session.stop);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::unavailable || options.http.port == 0) {
            throw;
        }
        fmt::print("\n      {}; taking a free one\n", error.message());
        options.http.port = 0;
        serve::serve(options, session.progress, session.stop);
    }
}

int run_demo(const DemoArguments& arguments, Session& session) {
    const Stopwatch watch;
    const auto made = run_demo(arguments.options, session);
    if (arguments.once) {
        fmt::print(
            "\nend of the demo after {:.0f} s (--once: nothing is served)\n", watch.seconds()
        );
        return 0;
    }
    serve::ServeOptions options;
    options.run = made.run;
    options.data = made.dataset;
    options.db = made.store;
    options.http.port = arguments.port;
    options.on_listening = [&watch](const std::string& url) {
        fmt::print("\n[7/7] iterate: every click is an event, and changes the next slate\n");
        fmt::print(
            "      open {}   ({:.0f} s since the start; Ctrl-C ends it)\n", url, watch.seconds()
        );
        std::fflush(stdout);
    };
    serve_somewhere(std::move(options), session);
    return 0;
}

Run declare_demo(CLI::App& verb) {
    auto arguments = std::make_shared<DemoArguments>();
    auto& options = arguments->options;
    verb.add_option("--source", options.source, "folder of MovieLens 100k")->capture_default_str();
    verb.add_option("--out", options.folder, "where the dataset, the run and the tables go")
        ->capture_default_str();
    verb.add_option("--port", arguments->port, "of the server; 0 picks a free one")
        ->capture_default_str();
    verb.add_flag("--once", arguments->once, "end after the evaluation");
    return [arguments](Session& session) { return run_demo(*arguments, session); };
}

}  // namespace

extern const CommandEntry demo{
    .name = "demo",
    .summary = "the main job on MovieLens 100k: from a log to slates that adapt with every click",
    .example = "honeyguide demo",
    .declare = &declare_demo,
};

}  // namespace hg::app
