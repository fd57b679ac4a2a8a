// SPDX-License-Identifier: Apache-2.0
// honeyguide inspect tokens: how a text model sees a text.
#include "app/command.hpp"
#include "app/text_lines.hpp"
#include "encode/text_encoder.hpp"
#include "encode/wordpiece.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace hg::app::inspecting {
namespace {

struct InspectTokensArguments {
    std::string model = encode::TextOptions{}.model;
    std::string text;
    std::string texts;
    bool as_json = false;
};

int run_inspect_tokens(const InspectTokensArguments& arguments) {
    const auto tokenizer = value_or_throw(encode::WordPiece::load(arguments.model));
    const auto texts =
        arguments.texts.empty() ? std::vector{arguments.text} : read_text_lines(arguments.texts);
    for (const auto& text : texts) {
        const auto ids = tokenizer.encode(text);
        if (arguments.as_json) {
            fmt::print("{}\n", nlohmann::json(ids).dump());
            continue;
        }
        std::vector<std::string> pieces;
        for (const auto id : ids) {
            pieces.push_back(tokenizer.piece(id));
        }
        fmt::print("{}\n", fmt::join(pieces, " "));
    }
    return 0;
}

Run declare_inspect_tokens(CLI::App& verb) {
    auto arguments = std::make_shared<InspectTokensArguments>();
    verb.add_option("--model", arguments->model, "text model folder")->capture_default_str();
    auto* text = verb.add_option("--text", arguments->text, "the text");
    verb.add_option("--texts", arguments->texts, "a file of JSON strings, one a line")
        ->excludes(text);
    verb.add_flag("--json", arguments->as_json, "token ids, for machines");
    return [arguments](Session& /*session*/) { return run_inspect_tokens(*arguments); };
}

}  // namespace

extern const CommandEntry tokens{
    .name = "tokens",
    .summary = "how a text model sees a text",
    .example = "honeyguide inspect tokens --text \"Toy Story\"",
    .declare = &declare_inspect_tokens,
};

}  // namespace hg::app::inspecting
