// SPDX-License-Identifier: Apache-2.0
// honeyguide advise: a readiness report of a dataset and what to train on it.
#include "app/advise.hpp"

#include "app/command.hpp"
#include "encode/vector_store.hpp"

#include <fmt/format.h>

#include <memory>

namespace hg::app {
namespace {

struct AdviseArguments {
    std::string data;
    std::string content = "auto";
    AdviseOptions options;
    bool as_json = false;
};

void fill_in_folder(Advice& advice, const std::string& folder) {
    for (auto& command : advice.next) {
        if (const auto at = command.find("DATA"); at != std::string::npos) {
            command.replace(at, 4, folder);
        }
    }
}

int run_advise(const AdviseArguments& arguments, Session& session) {
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto content = encode::content_for(
        dataset, arguments.data, arguments.content, session.progress, session.stop
    );
    auto options = arguments.options;
    options.content = content ? &*content : nullptr;
    auto advice = make_advice(dataset, options, {session.progress, session.stop});
    fill_in_folder(advice, arguments.data);
    fmt::print("{}\n", arguments.as_json ? to_json(advice).dump(2) : to_text(advice));
    return 0;
}

Run declare_advise(CLI::App& verb) {
    auto a = std::make_shared<AdviseArguments>();
    verb.add_option("data", a->data, "a raw folder or an ingested dataset")->required();
    verb.add_flag("--thorough", a->options.is_thorough, "try the learned models too (minutes)");
    verb.add_option("--max-users", a->options.max_users, "users asked in the quick check")
        ->capture_default_str();
    verb.add_option("--content", a->content, "item vectors: auto | none | ENCODER")
        ->capture_default_str();
    verb.add_option("--seed", a->options.seed, "of fits and bootstrap")->capture_default_str();
    verb.add_flag("--json", a->as_json, "for machines");
    return [a](Session& session) { return run_advise(*a, session); };
}

}  // namespace

extern const CommandEntry advise{
    .name = "advise",
    .summary = "is this data ready, what would a model bring, which one to take",
    .example = "honeyguide advise movies",
    .declare = &declare_advise,
};

}  // namespace hg::app
