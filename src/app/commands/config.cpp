// SPDX-License-Identifier: Apache-2.0
// honeyguide config: every option of everything that takes some, and the reference pages made of
// them.
#include "app/commands.hpp"
#include "app/option_catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {
namespace {

struct Arguments {
    std::vector<std::string> name;
    bool as_json = false;
    bool as_markdown = false;
    bool verbs = false;
};

std::string help_of(const CommandEntry& verb, const std::string& name) {
    CLI::App app{std::string{verb.summary}, "honeyguide " + name};
    const auto unused = verb.declare(app);
    return app.help();
}

void print_text(const Configurable& part) {
    fmt::print("# {} {}: {}\n", part.kind, part.name, part.summary);
    if (part.verb != nullptr) {
        fmt::print("{}", help_of(*part.verb, part.name));
    }
    part.each_option([](const OptionInfo& option) {
        const auto limits = option.limits_text();
        fmt::print(
            "{} = {}  # {}{}{}\n",
            option.name,
            option.toml_text(),
            option.help,
            limits.empty() ? "" : "; ",
            limits
        );
    });
    fmt::print("\n");
}

nlohmann::json to_json(const Configurable& part) {
    auto options = nlohmann::json::array();
    part.each_option([&options](const OptionInfo& option) {
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

void print_option_table(const Configurable& part) {
    bool is_first = true;
    part.each_option([&is_first](const OptionInfo& option) {
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

/// Verbs without settings have flags only: those are on the page of verbs.
void print_markdown(const std::vector<Configurable>& parts) {
    fmt::print(
        "# Options\n\nMade by `make docs` from the program; a test holds this page to it. Set them "
        "with "
        "`--set key=value`, in a TOML\nfile given by `--config`, or as `HG_SET_KEY` in the "
        "environment. "
        "`honeyguide config NAME` prints one of them;\nthe flags of verbs are in "
        "[verbs.md](verbs.md).\n"
    );
    for (const auto& part : parts) {
        if (part.verb == nullptr || !part.sections.empty()) {
            fmt::print("\n## {} {}\n{}.\n", part.kind, part.name, part.summary);
            print_option_table(part);
        }
    }
}

void print_verbs() {
    fmt::print(
        "# Verbs\n\nMade by `make docs` from the program; a test holds this page to it. Results go "
        "to stdout, "
        "logs and progress to\nstderr. Exit codes: 0 done, 1 failed, 2 usage, 3 gate refused, 130 "
        "interrupted (what was done is saved).\n"
    );
    for (const auto& part : option_catalogue()) {
        if (part.verb != nullptr) {
            fmt::print(
                "\n## {}\n{}.\n\n```\n{}```\n\nExample: `{}`\n",
                part.name,
                part.summary,
                help_of(*part.verb, part.name),
                part.verb->example
            );
        }
    }
}

int run(const Arguments& arguments) {
    if (arguments.verbs) {
        print_verbs();
        return 0;
    }
    const auto name = fmt::format("{}", fmt::join(arguments.name, " "));
    const auto parts = name.empty() ? option_catalogue() : find_configurables(name);
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
    verb.add_option(
        "NAME",
        arguments->name,
        "of a model, an encoder, an agent, a world or a verb (simulate fit); default: all"
    );
    verb.add_flag("--json", arguments->as_json, "for machines");
    verb.add_flag("--markdown", arguments->as_markdown, "docs/reference/config.md");
    verb.add_flag("--verbs", arguments->verbs, "docs/reference/verbs.md");
    return [arguments](Session& /*session*/) { return run(*arguments); };
}

}  // namespace

extern const CommandEntry config{
    .name = "config",
    .summary = "print every option with its default, range and meaning",
    .example = "honeyguide config interest_evolution",
    .declare = &declare,
};

}  // namespace hg::app
