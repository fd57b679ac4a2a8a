// SPDX-License-Identifier: Apache-2.0
#include "encode/text_encoder.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "encode/encoder_files.hpp"
#include "encode/script.hpp"
#include "encode/vector_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace hg::encode {
namespace {

/// How much work a crash may cost.
constexpr double save_interval_s = 10;

/// An English model reads Chinese as [UNK] [UNK] [UNK]: every item would get about the same vector.
void warn_of_foreign_script(
    const WordPiece& tokenizer, const TextRule& rule, const data::Catalogue& items
) {
    constexpr std::size_t sample = 2000;
    constexpr double most = 0.5;
    LetterCount model;
    for (const auto& piece : tokenizer.pieces()) {
        model += count_letters(piece);
    }
    LetterCount texts;
    const auto step = std::max<std::size_t>(1, items.n_rows() / sample);
    for (std::size_t row = 0; row < items.n_rows(); row += step) {
        texts += count_letters(rule.render(items, row));
    }
    if (model.latin_share() > most && texts.total() > 0 && texts.latin_share() < most) {
        log::warn(
            "most letters of the catalogue are not Latin, the text model reads Latin script",
            {{"latin_share", texts.latin_share()},
             {"next", "bring a model of that language with --model FOLDER, or use --encoder fields"}
            }
        );
    }
}

}  // namespace

void TextOptions::describe(OptionBinder& bind, TextOptions& o) {
    bind("model", o.model, "folder of a BERT model in Hugging Face layout");
    bind("dtype", o.dtype, "precision of the network", {.choices = {"fp32", "bf16"}});
    bind("device", o.device, "cpu, cuda or cuda:N");
    bind("batch_tokens", o.batch_tokens, "tokens computed at once", {.min = 1, .max = 1 << 20});
    bind(
        "fields",
        o.fields,
        "columns that make the text, in this order; empty = title, kinds, year, description"
    );
}

BertOptions TextOptions::bert() const {
    return {
        .folder = model,
        .precision = dtype == "bf16" ? Precision::bf16 : Precision::fp32,
        .device = device,
        .batch_tokens = static_cast<std::size_t>(batch_tokens),
    };
}

TextEncoder::TextEncoder(TextOptions options, TextRule rule, std::filesystem::path cache)
    : options_(std::move(options)),
      rule_(std::move(rule)),
      cache_(std::move(cache)),
      bert_(BertEncoder::load(options_.bert())) {}

std::unique_ptr<TextEncoder> TextEncoder::open(
    const EncodeContext& context, const TextOptions& options
) {
    auto rule = TextRule::for_catalogue(context.items, options.fields);
    if (rule.columns().empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "items have no text to encode",
            "give them a title or description column, or use --encoder fields",
        };
    }
    std::unique_ptr<TextEncoder> encoder{new TextEncoder{options, std::move(rule), context.cache}};
    warn_of_foreign_script(encoder->bert_->tokenizer(), encoder->rule_, context.items);
    return encoder;
}

ItemVectors TextEncoder::represent(
    const data::Catalogue& items, ProgressSink& progress, std::stop_token stop
) const {
    const auto texts = rule_.render_all(items);
    VectorCache cache{cache_, bert_->hash(), dim()};
    std::set<std::string> unknown;
    std::size_t n_texts = 0;
    for (const auto& text : texts) {
        if (text.empty()) {
            continue;
        }
        ++n_texts;
        if (!cache.find(text)) {
            unknown.insert(text);
        }
    }
    const std::vector<std::string> missing{unknown.begin(), unknown.end()};
    Stopwatch since_save;
    std::size_t n_done = 0;
    if (!missing.empty()) {
        Progress bar{progress, "encode", missing.size(), "texts"};
        bert_->encode(
            missing,
            [&](std::size_t text, std::span<const float> vector) {
                cache.add(missing[text], vector);
                ++n_done;
                bar.advance();
                if (since_save.seconds() > save_interval_s) {
                    cache.save();
                    since_save = {};
                }
            },
            stop
        );
    }
    if (n_done < missing.size()) {
        cache.save();
        throw Error{
            ErrorCode::interrupted,
            fmt::format("stopped after {} of {} texts", n_done, missing.size()),
            "what is done is kept: the same command goes on from here",
        };
    }
    cache.compact();
    log::debug("texts encoded", {{"texts", n_texts}, {"encoded", missing.size()}});

    ItemVectors out{.encoder = "text"};
    out.vectors = Matrix<float>(items.n_rows(), dim());
    out.present.assign(items.n_rows(), 0);
    for (std::size_t row = 0; row < items.n_rows(); ++row) {
        if (texts[row].empty()) {
            continue;
        }
        std::ranges::copy(*cache.find(texts[row]), out.vectors.row(row).begin());
        out.present[row] = 1;
    }
    return out;
}

void TextEncoder::save(const std::filesystem::path& folder) const {
    write_encoder_json(
        folder,
        "text",
        {
            {"dim", dim()},
            {"settings", options_json(options_)},
            {"columns", rule_.columns()},
            {"model_hash", bert_->hash()},
        }
    );
}

std::unique_ptr<TextEncoder> TextEncoder::load(const std::filesystem::path& folder) {
    const auto manifest = read_encoder_json(folder);
    try {
        const auto& settings = manifest.at("settings");
        TextOptions options;
        options.model = settings.at("model").get<std::string>();
        options.dtype = settings.at("dtype").get<std::string>();
        options.device = settings.at("device").get<std::string>();
        options.batch_tokens = settings.at("batch_tokens").get<std::int64_t>();
        TextRule rule{manifest.at("columns").get<std::vector<std::string>>()};
        std::unique_ptr<TextEncoder> encoder{new TextEncoder{options, std::move(rule), {}}};
        if (encoder->bert_->hash() != manifest.at("model_hash").get<std::string>()) {
            throw Error{
                ErrorCode::conflict,
                fmt::format(
                    "{} holds another model than the one {} was made with",
                    options.model,
                    folder.string()
                ),
                "run honeyguide encode again, or put the old model back",
            };
        }
        return encoder;
    } catch (const nlohmann::json::exception& error) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format("{}/encoder.json: {}", folder.string(), error.what()),
            "run honeyguide encode again",
        };
    }
}

}  // namespace hg::encode
