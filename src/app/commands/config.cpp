// SPDX-License-Identifier: Apache-2.0
// honeyguide config: every option of every model, encoder and meta-learner, and the reference pages made of them.
#include "app/commands.hpp"
#include "core/registry.hpp"
#include "encode/encoder_entry.hpp"
#include "policy/meta/meta_learner.hpp"
#include "train/model_entry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {
namespace {

struct Arguments {
    std::string model;
    std::string encoder;
    std::string learner;
    bool as_json = false;
    bool as_markdown = false;
    bool verbs = false;
};

/// A model, an encoder or a meta-learner, as far as its options go.
struct Configurable {
    std::string_view kind;
    std::string_view name;
    std::string_view summary;
    DescribeOptions options;
};

std::vector<Configurable> chosen(const Arguments& arguments) {
    std::vector<Configurable> all;
    const bool is_narrowed =
        !arguments.model.empty() || !arguments.encoder.empty() || !arguments.learner.empty();
    for (const auto* entry : train::models()) {
        if (!is_narrowed || entry->name == arguments.model) {
            all.push_back({"model", entry->name, entry->summary, entry->options});
        }
    }
    for (const auto* entry : encode::encoders()) {
        if (!is_narrowed || entry->name == arguments.encoder) {
            all.push_back({"encoder", entry->name, entry->summary, entry->options});
        }
    }
    for (const auto* entry : policy::meta_learners()) {
        if (!is_narrowed || entry->name == arguments.learner) {
            all.push_back({"meta-learner", entry->name, entry->summary, entry->options});
        }
    }
    return all;
}

void print_text(const Configurable& part) {
    fmt::print("# {} {}: {}\n", part.kind, part.name, part.summary);
    part.options([](const OptionInfo& option) {
        const auto limits = option.limits_text();
        fmt::print(
            "{} = {}  # {}{}{}\n",
            option.name,
            option.value_text(),
            option.help,
            limits.empty() ? "" : "; ",
            limits
        );
    });
    fmt::print("\n");
}

nlohmann::json to_json(const Configurable& part) {
    auto options = nlohmann::json::array();
    part.options([&options](const OptionInfo& option) {
        options.push_back({
            {"name", option.name},
            {"type", option.type_name()},
            {"default", option.value_text()},
            {"limits", option.limits_text()},
            {"help", option.help},
        });
    });
    return {
        {"kind", part.kind}, {"name", part.name}, {"summary", part.summary}, {"options", options}
    };
}

void print_markdown(const std::vector<Configurable>& parts) {
    fmt::print(
        "# Options\n\nMade by `make docs` from the program; a test holds this page to it. Set them "
        "with "
        "`--set key=value`, in a TOML\nfile given by `--config`, or as `HG_SET_KEY` in the "
        "environment.\n"
    );
    for (const auto& part : parts) {
        fmt::print("\n## {} {}\n{}.\n", part.kind, part.name, part.summary);
        bool is_first = true;
        part.options([&is_first](const OptionInfo& option) {
            if (is_first) {
                fmt::print("\n| option | default | range | meaning |\n|---|---|---|---|\n");
                is_first = false;
            }
            auto limits = option.limits_text();
            for (auto bar = limits.find('|'); bar != std::string::npos; bar = limits.find('|')) {
                limits.replace(bar, 1, "or");
            }
            fmt::print(
                "| `{}` | {} | {} | {} |\n",
                option.name,
                option.value_text().empty() ? "(empty)" : option.value_text(),
                limits,
                option.help
            );
        });
    }
}

void print_verbs() {
    fmt::print(
        "# Verbs\n\nMade by `make docs` from the program; a test holds this page to it. Results go "
        "to stdout, "
        "logs and progress to\nstderr. Exit codes: 0 done, 1 failed, 2 usage, 3 gate refused, 130 "
        "interrupted (what was done is saved).\n"
    );
    for (const auto* command : commands()) {
        CLI::App verb{std::string{command->summary}, "honeyguide " + std::string{command->name}};
        const auto unused = command->declare(verb);
        fmt::print(
            "\n## {}\n{}.\n\n```\n{}```\n\nExample: `{}`\n",
            command->name,
            command->summary,
            verb.help(),
            command->example
        );
    }
}

int run(const Arguments& arguments) {
    if (arguments.verbs) {
        print_verbs();
        return 0;
    }
    const auto parts = chosen(arguments);
    if (arguments.as_markdown) {
        print_markdown(parts);
        return 0;
    }
    auto all = nlohmann::json::array();
    for (const auto& part : parts) {
        if (arguments.as_json) {
            all.push_back(to_json(part));
        } else {
            print_text(part);
        }
    }
    if (arguments.as_json) {
        fmt::print("{}\n", all.dump(2));
    }
    return 0;
}

Run declare(CLI::App& verb) {
    auto arguments = std::make_shared<Arguments>();
    verb.add_option("--model", arguments->model, "only this model");
    verb.add_option("--encoder", arguments->encoder, "only this encoder");
    verb.add_option("--learner", arguments->learner, "only this meta-learner");
    verb.add_flag("--json", arguments->as_json, "for machines");
    verb.add_flag("--markdown", arguments->as_markdown, "docs/reference/config.md");
    verb.add_flag("--verbs", arguments->verbs, "docs/reference/verbs.md");
    return [arguments](Session& /*session*/) {
        if (!arguments->model.empty()) {
            (void)train::find_model(arguments->model);
        }
        if (!arguments->encoder.empty()) {
            (void)encode::find_encoder(arguments->encoder);
        }
        if (!arguments->learner.empty()) {
            (void)policy::find_meta_learner(arguments->learner);
        }
        return run(*arguments);
    };
}

}  // namespace

extern const CommandEntry config{
    .name = "config",
    .summary = "print every option with its default, range and meaning",
    .example = "honeyguide config --model popularity",
    .declare = &declare,
};

}  // namespace hg::app
