// SPDX-License-Identifier: Apache-2.0
// honeyguide encode: items into vectors beside the dataset; or lines of text into a file of
// vectors.
#include "app/command.hpp"
#include "app/shipped_configs.hpp"
#include "app/text_lines.hpp"
#include "core/clock.hpp"
#include "core/safetensors.hpp"
#include "encode/encode_dataset.hpp"
#include "encode/encoder_entry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace hg::app {
namespace {

struct EncodeArguments {
    std::string data;
    std::string encoder = "text";
    std::string model;
    std::string dtype;
    std::string device;
    std::string config;
    std::vector<std::string> assignments;
    std::uint64_t seed = 7;
    std::string texts;
    std::string out;
    bool as_json = false;
};

Settings settings_of(const EncodeArguments& arguments) {
    auto settings = load_config(arguments.config, arguments.assignments);
    const auto set = [&settings](const char* key, const std::string& value) {
        if (!value.empty()) {
            settings.set(key, value, fmt::format("--{}", key));
        }
    };
    set("model", arguments.model);
    set("dtype", arguments.dtype);
    set("device", arguments.device);
    return settings;
}

int encode_items(const EncodeArguments& arguments, Session& session) {
    const auto made = encode::encode_dataset(
        {
            .folder = arguments.data,
            .encoder = arguments.encoder,
            .settings = settings_of(arguments),
            .seed = arguments.seed,
        },
        session.progress,
        session.stop
    );
    if (arguments.as_json) {
        const nlohmann::json summary{
            {"folder", made.folder.string()},
            {"items", made.n_items},
            {"present", made.n_present},
            {"dim", made.dim},
            {"seconds", made.seconds}
        };
        fmt::print("{}\n", summary.dump());
        return 0;
    }
    fmt::print(
        "{}: {} items, {} with content, {} numbers each, {:.1f} s\n",
        made.folder.string(),
        made.n_items,
        made.n_present,
        made.dim,
        made.seconds
    );
    fmt::print(
        "next: honeyguide inspect neighbours --data {} --item ID --encoder {}\n",
        arguments.data,
        arguments.encoder
    );
    return 0;
}

int encode_lines(const EncodeArguments& arguments, Session& session) {
    const auto texts = read_text_lines(arguments.texts);
    const Stopwatch watch;
    const auto vectors =
        encode::encode_texts(texts, settings_of(arguments), session.progress, session.stop);
    SafetensorsWriter writer;
    writer.add<float>("vectors", vectors.view());
    writer.save(arguments.out);
    fmt::print(
        "{}: {} texts, {} numbers each, {:.2f} s\n",
        arguments.out,
        vectors.rows(),
        vectors.cols(),
        watch.seconds()
    );
    return 0;
}

Run declare_encode(CLI::App& verb) {
    auto arguments = std::make_shared<EncodeArguments>();
    auto* data =
        verb.add_option("--data", arguments->data, "dataset folder; vectors go to its vectors/");
    verb.add_option("--encoder", arguments->encoder, "text, fields or fused")
        ->capture_default_str();
    verb.add_option("--model", arguments->model, "text model folder (Hugging Face layout)");
    verb.add_option("--dtype", arguments->dtype, "fp32 or bf16");
    verb.add_option("--device", arguments->device, "cpu or cuda");
    verb.add_option("--config", arguments->config, "TOML file of options");
    verb.add_option("--set", arguments->assignments, "an option of the encoder, key=value");
    verb.add_option("--seed", arguments->seed, "seed of what is random")->capture_default_str();
    auto* texts = verb.add_option(
        "--texts", arguments->texts, "instead of a dataset: a file of JSON strings, one a line"
    );
    auto* out =
        verb.add_option("--out", arguments->out, "safetensors file for the vectors of --texts");
    texts->needs(out)->excludes(data);
    out->needs(texts);
    verb.add_flag("--json", arguments->as_json, "for machines");
    return [arguments](Session& session) {
        if (!arguments->texts.empty()) {
            return encode_lines(*arguments, session);
        }
        if (arguments->data.empty()) {
            throw Error{
                ErrorCode::invalid_argument,
                "encode needs a dataset",
                "honeyguide encode --data FOLDER"
            };
        }
        return encode_items(*arguments, session);
    };
}

}  // namespace

extern const CommandEntry encode{
    .name = "encode",
    .summary = "items into vectors: text, fields or both",
    .example = "honeyguide encode --data datasets/movies --encoder text",
    .declare = &declare_encode,
};

}  // namespace hg::app
