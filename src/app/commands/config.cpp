// SPDX-License-Identifier: Apache-2.0
// honeyguide config: every option of every model with its default, range and help.
#include "app/command.hpp"
#include "core/registry.hpp"
#include "train/model_entry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace hg::app {
namespace {

struct Arguments {
    std::string model;
    bool as_json = false;
};

void print_text(const train::ModelEntry& model) {
    fmt::print("# {}: {}\n", model.name, model.summary);
    model.options([](const OptionInfo& option) {
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

nlohmann::json to_json(const train::ModelEntry& model) {
    nlohmann::json options = nlohmann::json::array();
    model.options([&options](const OptionInfo& option) {
        options.push_back({
            {"name", option.name},
            {"type", option.type_name()},
            {"default", option.value_text()},
            {"limits", option.limits_text()},
            {"help", option.help},
        });
    });
    return {{"model", model.name}, {"summary", model.summary}, {"options", options}};
}

int run(const Arguments& arguments) {
    auto all = nlohmann::json::array();
    for (const auto* model : train::models()) {
        if (!arguments.model.empty() && model->name != arguments.model) {
            continue;
        }
        if (arguments.as_json) {
            all.push_back(to_json(*model));
        } else {
            print_text(*model);
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
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& /*session*/) {
        if (!arguments->model.empty()) {
            (void)train::find_model(arguments->model);
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
