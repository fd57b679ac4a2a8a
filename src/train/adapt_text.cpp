// SPDX-License-Identifier: Apache-2.0
#include "train/adapt_text.hpp"

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/sealed_json.hpp"
#include "core/utc_time.hpp"
#include "encode/device_net.hpp"
#include "encode/render_text.hpp"
#include "train/holdout.hpp"
#include "train/run.hpp"
#include "train/text_trainee_net.hpp"
#include "train/trainer.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <utility>

namespace hg::train {
namespace {

namespace fs = std::filesystem;

/// The held-out texts are read after every epoch: more would cost time and decide nothing.
constexpr std::size_t most_held_out = 5000;

void refuse_bad_places(const AdaptRequest& request) {
    std::error_code ignored;
    if (fs::equivalent(request.model, request.folder, ignored)) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{}: is the model to begin with", request.folder.string()),
            "give the new model a folder of its own with --out",
        };
    }
    const bool is_ours = fs::exists(request.folder / "metrics.jsonl", ignored);
    if (!is_ours && fs::exists(request.folder / "model.safetensors", ignored)) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{}: holds another model", request.folder.string()),
            "choose another --out, or remove the folder first",
        };
    }
}

/// Every text once, in the order of the items.
SplitTexts read_texts(
    const AdaptRequest& request,
    const encode::WordPiece& tokenizer,
    const encode::WordMasker& masker,
    const AdaptOptions& options
) {
    const auto& items = request.dataset.item_fields;
    const auto rule = encode::TextRule::for_catalogue(items, options.fields);
    SplitTexts split;
    split.text_of_item.assign(request.dataset.items.size(), CoTaken::nothing);
    std::map<std::vector<std::int32_t>, std::uint32_t> known;
    for (std::size_t row = 0; row < items.n_rows(); ++row) {
        auto pieces = tokenizer.encode(rule.render(items, row));
        if (!masker.has_words(pieces)) {
            continue;
        }
        const auto next = static_cast<std::uint32_t>(split.texts.size());
        const auto [found, is_new] = known.try_emplace(pieces, next);
        split.text_of_item[row] = found->second;
        if (is_new) {
            split.texts.push_back(std::move(pieces));
        }
    }
    constexpr std::size_t fewest = 10;
    if (split.texts.size() < fewest) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "dataset {}: items have {} different texts, expected {} at least",
                request.dataset.name,
                split.texts.size(),
                fewest
            ),
            "give the items a title or description column, or name the columns with --set "
            "fields=[...]; a small catalogue is served as well by the model as it is",
        };
    }
    return split;
}

void hold_out(SplitTexts& split, double share, const Rng& rng) {
    const auto n = split.texts.size();
    const auto wanted = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n)));
    const auto asked = choose(n, std::min(wanted, most_held_out), rng);
    for (std::uint32_t text = 0; text < n; ++text) {
        (asked[text] ? split.held_out : split.learned).push_back(text);
    }
}

std::string fingerprint_of(
    const AdaptRequest& request, const AdaptOptions& options, const std::string& model_hash
) {
    return digest_hex(
        fmt::format("{} {} {}", options_json(options).dump(), request.dataset.hash, model_hash)
    );
}

nlohmann::json to_json(const TextQuality& q) {
    nlohmann::json json{{"masked_loss", q.masked_loss}, {"masked_accuracy", q.masked_accuracy}};
    if (q.n_pairs > 0) {
        json["contrastive_loss"] = q.contrastive_loss;
        json["partner_first"] = q.partner_first;
    }
    return json;
}

void write_manifest(
    const AdaptRequest& request,
    const AdaptOptions& options,
    const AdaptSummary& made,
    const std::string& model_hash
) {
    nlohmann::json manifest{
        {"format_version", 1},
        {"made_by", "adapt-text"},
        {"from", {{"folder", request.model.string()}, {"hash", model_hash}}},
        {"dataset", {{"name", request.dataset.name}, {"hash", request.dataset.hash}}},
        {"seed", request.seed},
        {"settings", options_json(options)},
        {"texts", made.n_learned},
        {"held_out", made.n_held_out},
        {"before", to_json(made.before)},
        {"after", to_json(made.after)},
        {"best_epoch", made.best_epoch},
        {"epochs_run", made.epochs_run},
        {"seconds", made.seconds},
        {"created", utc_now()},
        {"version", HG_VERSION},
    };
    seal(manifest);
    write_file_atomic(request.folder / "manifest.json", manifest.dump(2) + "\n");
}

}  // namespace

void AdaptOptions::describe(OptionBinder& bind, AdaptOptions& o) {
    TrainingOptions::describe(bind, o.training, "texts");
    bind("warmup_steps", o.warmup_steps, "steps over which the learning rate rises", {.min = 0});
    bind(
        "asked_share",
        o.asked_share,
        "share of a text's word pieces to guess: of these 80 % are hidden, 10 % swapped, 10 % kept",
        {.min = 0.01, .max = 0.9}
    );
    bind(
        "contrastive_weight",
        o.contrastive_weight,
        "of the loss that draws together what users take soon after one another; 0 = words alone, "
        "the log is not looked at",
        {.min = 0, .max = 100}
    );
    bind(
        "temperature",
        o.temperature,
        "of the contrastive loss; lower = the nearest strangers count more",
        {.min = 0.01, .max = 10}
    );
    bind(
        "window",
        o.window,
        "so many liked events of a user before and after are soon",
        {.min = 1, .max = 1000}
    );
    bind(
        "held_out_share",
        o.held_out_share,
        "share of the texts that choose the epoch, 5000 at most",
        {.min = 0.01, .max = 0.5}
    );
    bind("max_tokens", o.max_tokens, "longer texts are cut", {.min = 8, .max = 512});
    bind(
        "fields",
        o.fields,
        "columns that make the text, in this order; empty = as encode: title, kinds, year, "
        "description"
    );
    bind("device", o.device, "cpu, cuda or cuda:N");
}

AdaptSummary adapt_text(const AdaptRequest& request, ProgressSink& progress, std::stop_token stop) {
    const auto options = request.settings.read<AdaptOptions>();
    refuse_bad_places(request);
    const Stopwatch watch;
    const Rng rng{request.seed};
    auto bert = encode::load_masked_bert(request.model, rng.split("head"));
    bert.net->to(encode::find_device(options.device));
    const auto tokenizer = bert.tokenizer.cut_to(static_cast<std::size_t>(options.max_tokens));
    const encode::WordMasker masker{tokenizer, {.asked = options.asked_share}};
    auto split = read_texts(request, tokenizer, masker, options);
    hold_out(split, options.held_out_share, rng.split("held-out texts"));
    AdaptSummary made{
        .n_learned = split.learned.size(),
        .n_held_out = split.held_out.size(),
        .had_head = bert.has_head,
    };

    RunWriter run{request.folder};
    const FitContext context{
        .dataset = request.dataset,
        .log = request.dataset.log,
        .content = nullptr,
        .rng = rng,
        .progress = progress,
        .stop = std::move(stop),
        .run = &run,
    };
    TextTrainee trainee{bert.net, masker, tokenizer.pad_id(), options, std::move(split), context};
    trainee.on_epoch = request.on_epoch;
    made.before = trainee.measure_first();
    auto training = options.training.of("adapt-text", fingerprint_of(request, options, bert.hash));
    training.clip_norm = 1;
    training.warmup_steps = options.warmup_steps;
    training.final_rate_share = 0.1;
    training.checkpoint_seconds = 120;  // it holds the model four times
    const auto result = train(trainee, training, context);
    made.epochs_run = result.epochs_run;
    made.best_epoch = result.best_epoch;
    made.after = trainee.measure();
    if (trainee.log_likelihood(made.after) <= trainee.log_likelihood(made.before)) {
        log::warn(
            "no epoch knew the held-out texts better than the model as it came",
            {{"next", "keep that model, or try a lower learning_rate"}}
        );
    }
    made.seconds = watch.seconds();
    encode::save_masked_bert(bert.net, request.model, request.folder);
    write_manifest(request, options, made, bert.hash);
    std::error_code ignored;
    fs::remove(run.checkpoint_path(), ignored);
    return made;
}

}  // namespace hg::train
