// SPDX-License-Identifier: Apache-2.0
// honeyguide recommend: a run and a file of queries in, a file of answers out.
#include "train/recommend.hpp"

#include "app/command.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "data/text_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <sstream>

namespace hg::app {
namespace {

struct RecommendArguments {
    std::string run;
    std::string input;
    std::string output;
    std::size_t k = 100;
    bool allow_repeats = false;
};

int run_recommend(const RecommendArguments& arguments, Session& session) {
    const auto loaded = train::load_run(arguments.run);
    const auto queries = value_or_throw(data::TextFile::open(arguments.input));
    const train::RecommendOptions options{
        .k = arguments.k,
        .seen = arguments.allow_repeats ? train::Seen::allow : train::Seen::hide,
    };
    train::RecommendSummary summary;
    const auto answer = [&](std::ostream& out) {
        summary = train::recommend_lines(
            loaded, queries.text(), arguments.input, out, options, session.progress, session.stop
        );
    };
    if (arguments.output == "-") {
        std::ostringstream text;
        answer(text);
        fmt::print("{}", text.str());
    } else {
        write_file_atomic(arguments.output, answer);
        fmt::print("{}: {} answers\n", arguments.output, summary.n_queries);
    }
    if (summary.n_unknown_items > 0) {
        log::warn(
            "unknown item ids ignored", {{"count", summary.n_unknown_items}, {"run", loaded.name}}
        );
    }
    if (!summary.unknown_keys.empty()) {
        log::warn(
            "unknown keys in queries ignored",
            {{"keys", fmt::format("{}", fmt::join(summary.unknown_keys, ","))}}
        );
    }
    return 0;
}

Run declare_recommend(CLI::App& verb) {
    auto arguments = std::make_shared<RecommendArguments>();
    verb.add_option("--run", arguments->run, "the run that answers")->required();
    verb.add_option("--input", arguments->input, "queries, one JSON object a line; may be gzipped")
        ->required();
    verb.add_option("--output", arguments->output, "answers in the same order; - = stdout")
        ->required();
    verb.add_option("--k", arguments->k, "items per answer")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}))
        ->capture_default_str();
    verb.add_flag(
        "--allow-repeats", arguments->allow_repeats, "recommend items of the history too"
    );
    return [arguments](Session& session) { return run_recommend(*arguments, session); };
}

}  // namespace

extern const CommandEntry recommend{
    .name = "recommend",
    .summary = "answer a file of queries with a run",
    .example =
        "honeyguide recommend --run runs/ease --input queries.jsonl --k 10 --output answers.jsonl",
    .declare = &declare_recommend,
};

}  // namespace hg::app
