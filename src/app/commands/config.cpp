// SPDX-License-Identifier: Apache-2.0
// honeyguide config: every option of everything that takes some, and the reference pages made of
// them.
#include "app/commands.hpp"
#include "app/option_catalogue.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {
namespace {

struct ConfigArguments {
    std::vector<std::string> name;
    std::filesystem::path reference;
    bool as_json = false;
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

std::string option_table(const Configurable& part) {
    std::string table;
    part.each_option([&table](const OptionInfo& option) {
        if (table.empty()) {
            table = "\n| option | default | range | meaning |\n|---|---|---|---|\n";
        }
        auto limits = option.limits_text();
        for (auto bar = limits.find('|'); bar != std::string::npos; bar = limits.find('|')) {
            limits.replace(bar, 1, "or");
        }
        table += fmt::format(
            "| `{}` | {} | {} | {} |\n",
            option.name,
            option.value_text().empty() ? "(empty)" : option.value_text(),
            limits,
            option.help
        );
    });
    return table;
}

struct Page {
    std::string_view file;
    std::string_view title;
    std::vector<std::string_view> kinds;  // of what stands on it
};

/// Options by page, in the order of docs/reference.
const std::vector<Page>& option_pages() {
    static const std::vector<Page> pages{
        {"models.md", "Options of models and encoders", {"model", "encoder"}},
        {"worlds.md", "Options of worlds", {"world", "every world"}},
        {"agents.md", "Options of agents and their state encoders", {"agent", "state encoder"}},
        {"meta_learners.md", "Options of meta-learners", {"meta-learner"}},
        {"verb_options.md", "Options of verbs", {"verb"}},
    };
    return pages;
}

/// Verbs without settings have flags only: those are on the page of verbs.
std::string option_page(const Page& page) {
    std::string text = fmt::format(
        "# {}\n\nMade by `make docs` from the program; a test holds this page to it. Set them with "
        "`--set key=value`, in a TOML\nfile given by `--config`, or as `HG_SET_KEY` in the "
        "environment. `honeyguide config NAME` prints one of them;\nthe flags of verbs are in "
        "[verbs.md](verbs.md).\n",
        page.title
    );
    for (const auto& part : option_catalogue()) {
        if (std::ranges::find(page.kinds, part.kind) != page.kinds.end() &&
            (part.verb == nullptr || !part.sections.empty())) {
            text += fmt::format("\n## {} {}\n{}.\n", part.kind, part.name, part.summary);
            text += option_table(part);
        }
    }
    return text;
}

std::string verbs_page() {
    std::string text =
        "# Verbs\n\nMade by `make docs` from the program; a test holds this page to it. Results go "
        "to stdout, logs and progress to\nstderr. Exit codes: 0 done, 1 failed, 2 usage, 3 gate "
        "refused, 130 interrupted (what was done is saved).\n";
    for (const auto& part : option_catalogue()) {
        if (part.verb != nullptr) {
            auto help = help_of(*part.verb, part.name);
            help.erase(0, help.find('\n') + 1);  // the summary, which stands above it
            help.erase(help.find_last_not_of('\n') + 1);
            text += fmt::format(
                "\n## {}\n{}.\n\n```\n{}\n```\n\nExample: `{}`\n",
                part.name,
                part.summary,
                help,
                part.verb->example
            );
        }
    }
    return text;
}

void write_reference(const std::filesystem::path& folder) {
    for (const auto& part : option_catalogue()) {
        HG_CHECK(
            std::ranges::any_of(
                option_pages(),
                [&part](const Page& page) {
                    return std::ranges::find(page.kinds, part.kind) != page.kinds.end();
                }
            ),
            "every kind has its page"
        );
    }
    std::filesystem::create_directories(folder);
    for (const auto& page : option_pages()) {
        write_file_atomic(folder / page.file, option_page(page));
    }
    write_file_atomic(folder / "verbs.md", verbs_page());
}

int run_config(const ConfigArguments& arguments) {
    if (!arguments.reference.empty()) {
        write_reference(arguments.reference);
        return 0;
    }
    const auto name = fmt::format("{}", fmt::join(arguments.name, " "));
    const auto parts = name.empty() ? option_catalogue() : find_configurables(name);
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

Run declare_config(CLI::App& verb) {
    auto arguments = std::make_shared<ConfigArguments>();
    verb.add_option(
        "NAME",
        arguments->name,
        "of a model, an encoder, an agent, a world or a verb (simulate fit); default: all"
    );
    verb.add_flag("--json", arguments->as_json, "for machines");
    verb.add_option("--reference", arguments->reference, "write the pages of docs/reference here");
    return [arguments](Session& /*session*/) { return run_config(*arguments); };
}

}  // namespace

extern const CommandEntry config{
    .name = "config",
    .summary = "print every option with its default, range and meaning",
    .example = "honeyguide config interest_evolution",
    .declare = &declare_config,
};

}  // namespace hg::app
