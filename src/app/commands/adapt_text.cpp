// SPDX-License-Identifier: Apache-2.0
// honeyguide adapt-text: a text model goes on learning, on the texts of a catalogue.
#include "train/adapt_text.hpp"

#include "app/command.hpp"
#include "app/run_options.hpp"
#include "data/dataset.hpp"
#include "encode/text_encoder.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

namespace hg::app {
namespace {

struct AdaptTextArguments {
    std::string data;
    std::string model = encode::TextOptions{}.model;
    std::string out;
    RunOptions run;
};

void print_quality(std::string_view when, const train::TextQuality& q) {
    fmt::print(
        "{:<10}  masked loss {:7.4f}  right {:5.1f} %", when, q.masked_loss, 100 * q.masked_accuracy
    );
    if (q.n_pairs > 0) {
        fmt::print(
            "  contrastive loss {:7.4f}  partner first {:5.1f} %",
            q.contrastive_loss,
            100 * q.partner_first
        );
    }
    fmt::print("\n");
    std::fflush(stdout);
}

nlohmann::json quality_json(const train::TextQuality& q) {
    return {
        {"masked_loss", q.masked_loss},
        {"masked_accuracy", q.masked_accuracy},
        {"words", q.n_words},
        {"contrastive_loss", q.contrastive_loss},
        {"partner_first", q.partner_first},
        {"pairs", q.n_pairs},
    };
}

void print_summary(const AdaptTextArguments& arguments, const train::AdaptSummary& made) {
    fmt::print(
        "{}: {} learned from {} texts in {} epochs, {:.1f} s; the weights are those of epoch {}\n",
        arguments.out,
        arguments.model,
        made.n_learned,
        made.epochs_run,
        made.seconds,
        made.best_epoch
    );
    fmt::print("on {} texts held out ({} pieces asked):\n", made.n_held_out, made.before.n_words);
    print_quality("before", made.before);
    print_quality("after", made.after);
    if (!made.had_head) {
        fmt::print("the model came without a head to guess words: before, it guessed blindly\n");
    }
    fmt::print(
        "next: honeyguide encode --data {} --model {}, and compare before you serve it\n",
        arguments.data,
        arguments.out
    );
}

int run_adapt_text(const AdaptTextArguments& arguments, Session& session) {
    auto settings = arguments.run.settings();
    (void
    )settings.read<train::AdaptOptions>();  // a mistyped option is told before the data is read
    const auto dataset = value_or_throw(data::open_dataset(arguments.data));
    const auto made = train::adapt_text(
        {
            .dataset = dataset,
            .model = arguments.model,
            .folder = arguments.out,
            .settings = std::move(settings),
            .seed = arguments.run.seed,
            .on_epoch =
                [&](std::int64_t epoch, const train::TextQuality& quality) {
                    if (!arguments.run.as_json) {
                        print_quality(fmt::format("epoch {}", epoch), quality);
                    }
                },
        },
        session.progress,
        session.stop
    );
    if (!arguments.run.as_json) {
        print_summary(arguments, made);
        return 0;
    }
    const nlohmann::json facts{
        {"folder", arguments.out},
        {"texts", made.n_learned},
        {"held_out", made.n_held_out},
        {"had_head", made.had_head},
        {"epochs_run", made.epochs_run},
        {"best_epoch", made.best_epoch},
        {"before", quality_json(made.before)},
        {"after", quality_json(made.after)},
        {"seconds", made.seconds},
    };
    fmt::print("{}\n", facts.dump());
    return 0;
}

constexpr std::array sections{OptionSection{"", &describe_options<train::AdaptOptions>}};

Run declare_adapt_text(CLI::App& verb) {
    auto arguments = std::make_shared<AdaptTextArguments>();
    verb.add_option("--data", arguments->data, "a raw folder or an ingested dataset")->required();
    verb.add_option("--model", arguments->model, "text model folder (Hugging Face layout)")
        ->capture_default_str();
    verb.add_option("--out", arguments->out, "the folder of the new text model")->required();
    add_run_options(verb, arguments->run, {.config = "TOML file with the options of the training"});
    return [arguments](Session& session) { return run_adapt_text(*arguments, session); };
}

}  // namespace

extern const CommandEntry adapt_text{
    .name = "adapt-text",
    .summary = "go on training a text model on the catalogue's own texts",
    .example = "honeyguide adapt-text --data movies --out models/movies --set epochs=5",
    .declare = &declare_adapt_text,
    .settings = sections,
};

}  // namespace hg::app
