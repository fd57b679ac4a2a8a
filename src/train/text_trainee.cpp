// SPDX-License-Identifier: Apache-2.0
#include "encode/tensor_io.hpp"
#include "train/adam.hpp"
#include "train/contrastive_loss.hpp"
#include "train/run.hpp"
#include "train/text_trainee_net.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <filesystem>

namespace hg::train {
namespace {

/// Few held-out texts are asked so often that the noise of what is asked does not choose the epoch.
std::size_t rounds_over(std::size_t n_texts) {
    constexpr std::size_t enough = 1000;
    constexpr std::size_t most = 8;
    return std::clamp<std::size_t>(enough / std::max<std::size_t>(1, n_texts), 1, most);
}

std::vector<std::uint32_t> without(
    std::vector<std::uint32_t> text_of_item, std::span<const std::uint32_t> texts, std::size_t n
) {
    std::vector<bool> is_left_out(n);
    for (const auto text : texts) {
        is_left_out[text] = true;
    }
    for (auto& text : text_of_item) {
        if (text != CoTaken::nothing && is_left_out[text]) {
            text = CoTaken::nothing;
        }
    }
    return text_of_item;
}

}  // namespace

TextTrainee::TextTrainee(
    encode::MaskedBert& net,
    const encode::WordMasker& masker,
    std::int32_t pad_id,
    const AdaptOptions& options,
    SplitTexts split,
    const FitContext& context
)
    : net_(net),
      options_(options),
      context_(context),
      split_(std::move(split)),
      masker_(masker),
      pad_id_(pad_id) {
    if (options_.contrastive_weight > 0) {
        const auto n = split_.texts.size();
        const auto window = static_cast<std::size_t>(options_.window);
        all_pairs_.emplace(context.log, split_.text_of_item, n, window);
        learned_pairs_.emplace(
            context.log, without(split_.text_of_item, split_.held_out, n), n, window
        );
    }
    // Longest last: a batch of the held-out, too, is of similar lengths.
    std::ranges::stable_sort(split_.held_out, {}, [this](std::uint32_t text) {
        return split_.texts[text].size();
    });
}

std::vector<std::pair<std::string, at::Tensor>> TextTrainee::parameters() {
    return named_of(*net_);
}

std::vector<Batch> TextTrainee::plan_epoch(std::size_t batch_size, Rng rng) {
    const auto passes =
        passes_per_epoch(split_.learned.size(), static_cast<std::int64_t>(batch_size));
    order_.clear();
    for (std::size_t i = 0; i < passes; ++i) {
        auto pass = split_.learned;
        rng.shuffle(std::span{pass});
        order_.insert(order_.end(), pass.begin(), pass.end());
    }
    const auto length = [this](std::uint32_t text) { return split_.texts[text].size(); };
    return batches_by_length(std::span{order_}, batch_size, length, rng);
}

at::Tensor TextTrainee::loss(const Batch& batch, Rng& rng) {
    std::vector<std::uint32_t> texts;
    for (const auto index : batch) {
        texts.push_back(order_[index]);
    }
    const auto words = ask_words(texts, rng);
    auto total = at::cross_entropy_loss(words.logits, words.answers);
    if (learned_pairs_) {
        if (const auto logits = ask_partners(texts, *learned_pairs_, rng); logits.defined()) {
            total = total + options_.contrastive_weight * contrastive_loss(logits);
        }
    }
    return total;
}

std::optional<double> TextTrainee::validate() {
    last_ = measure();
    return log_likelihood(last_);
}

void TextTrainee::epoch_ended(std::int64_t epoch) {
    if (context_.run != nullptr) {
        context_.run->metric("validation/masked_loss", epoch, last_.masked_loss);
        context_.run->metric("validation/masked_accuracy", epoch, last_.masked_accuracy);
        if (last_.n_pairs > 0) {
            context_.run->metric("validation/contrastive_loss", epoch, last_.contrastive_loss);
            context_.run->metric("validation/partner_first", epoch, last_.partner_first);
        }
    }
    if (on_epoch) {
        on_epoch(epoch, last_);
    }
}

TextQuality TextTrainee::measure() {
    const at::NoGradGuard no_grad;
    const auto streams = context_.rng.split("held-out questions");
    const auto batch_size = static_cast<std::size_t>(options_.training.batch_size);
    const std::span<const std::uint32_t> texts = split_.held_out;
    Tally words;
    Tally partners;
    for (std::size_t round = 0; round < rounds_over(texts.size()); ++round) {
        auto rng = streams.split(round);
        for (std::size_t first = 0; first < texts.size(); first += batch_size) {
            const auto part = texts.subspan(first, std::min(batch_size, texts.size() - first));
            const auto asked = ask_words(part, rng);
            words.add(asked.logits, asked.answers);
            if (all_pairs_) {
                if (const auto logits = ask_partners(part, *all_pairs_, rng); logits.defined()) {
                    const auto own = at::arange(logits.size(0), logits.options().dtype(at::kLong));
                    partners.add(logits, own);
                    partners.add(logits.t(), own);
                }
            }
        }
    }
    const auto mean = [](double sum, std::size_t n) {
        return n == 0 ? 0 : sum / static_cast<double>(n);
    };
    return {
        .masked_loss = mean(words.loss, words.n),
        .masked_accuracy = mean(words.right, words.n),
        .n_words = words.n,
        .contrastive_loss = mean(partners.loss, partners.n),
        .partner_first = mean(partners.right, partners.n),
        .n_pairs = partners.n / 2,
    };
}

TextQuality TextTrainee::measure_first() {
    last_ = measure();
    if (context_.run == nullptr || !std::filesystem::exists(context_.run->checkpoint_path())) {
        epoch_ended(0);
    }
    return last_;
}

double TextTrainee::log_likelihood(const TextQuality& quality) const {
    return -(quality.masked_loss + options_.contrastive_weight * quality.contrastive_loss);
}

void TextTrainee::Tally::add(const at::Tensor& logits, const at::Tensor& answers) {
    loss += at::cross_entropy_loss(logits, answers, {}, at::Reduction::Sum).item<double>();
    right += static_cast<double>((logits.argmax(1) == answers).sum().item<std::int64_t>());
    n += static_cast<std::size_t>(answers.size(0));
}

TextTrainee::AskedWords TextTrainee::ask_words(std::span<const std::uint32_t> texts, Rng& rng) {
    std::vector<encode::MaskedText> masked;
    std::size_t longest = 0;
    for (const auto text : texts) {
        masked.push_back(masker_.mask(split_.texts[text], rng));
        longest = std::max(longest, masked.back().ids.size());
    }
    std::vector<std::span<const std::int32_t>> rows;
    std::vector<std::int64_t> places;
    std::vector<std::int64_t> answers;
    for (std::size_t row = 0; row < masked.size(); ++row) {
        rows.emplace_back(masked[row].ids);
        for (const auto place : masked[row].places) {
            places.push_back(static_cast<std::int64_t>(row * longest + place));
        }
        answers.insert(answers.end(), masked[row].answers.begin(), masked[row].answers.end());
    }
    const auto device = net_->bias.device();
    const auto in = encode::pad_tokens(rows, pad_id_, device);
    return {
        .logits = net_->forward(in, encode::index_tensor(places).to(device)),
        .answers = encode::index_tensor(answers).to(device),
    };
}

at::Tensor TextTrainee::ask_partners(
    std::span<const std::uint32_t> texts, const CoTaken& pairs, Rng& rng
) {
    std::vector<std::uint32_t> anchors;
    std::vector<std::uint32_t> partners;
    for (const auto text : texts) {
        if (const auto partner = pairs.draw(text, rng)) {
            anchors.push_back(text);
            partners.push_back(*partner);
        }
    }
    constexpr std::size_t fewest = 2;  // with one there is nothing to tell it from
    if (anchors.size() < fewest) {
        return {};
    }
    return pair_logits(
        net_->vectors(padded(anchors)),
        net_->vectors(padded(partners)),
        {.anchors = anchors, .partners = partners},
        options_.temperature
    );
}

encode::PaddedTokens TextTrainee::padded(std::span<const std::uint32_t> texts) const {
    std::vector<std::span<const std::int32_t>> rows;
    for (const auto text : texts) {
        rows.emplace_back(split_.texts[text]);
    }
    return encode::pad_tokens(rows, pad_id_, net_->bias.device());
}

}  // namespace hg::train
