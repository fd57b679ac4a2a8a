// SPDX-License-Identifier: Apache-2.0
#include "train/models/sequence_trainee.hpp"

#include "encode/tensor_io.hpp"
#include "train/adam.hpp"
#include "train/short_products.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>

namespace hg::train {
namespace {

/// At most this many users are asked: more would cost time and decide nothing.
constexpr std::size_t most_queries = 5000;

}  // namespace

SequenceSplit split_log(const data::InteractionLog& log, bool validate, Rng rng) {
    SequenceSplit split;
    split.popularity.assign(log.n_items(), 0);
    const auto asked = choose(log.n_users(), most_queries, rng);
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        auto tokens = tokens_of(log.history(UserId{u}));
        constexpr std::size_t enough = 3;
        if (validate && asked[u] && tokens.size() >= enough) {
            Query query;
            for (const auto token : tokens) {
                query.context.push_back(ItemId{static_cast<std::uint32_t>(token - 1)});
            }
            query.targets = {query.context.back()};
            query.context.pop_back();
            // A repeat of an item is masked with the history and can be no target.
            if (std::ranges::find(query.context, query.targets[0]) == query.context.end()) {
                split.queries.push_back(std::move(query));
                tokens.pop_back();
            }
        }
        for (const auto token : tokens) {
            split.popularity[static_cast<std::size_t>(token - 1)] += 1;
        }
        if (!tokens.empty()) {
            split.sequences.push_back(std::move(tokens));
        }
    }
    std::ranges::stable_sort(split.queries, {}, [](const Query& q) { return q.context.size(); });
    return split;
}

SequenceTrainee::SequenceTrainee(
    SequenceNet& net, const SequenceOptions& options, SequenceSplit split, at::Tensor content
)
    : net_(net),
      options_(options),
      split_(std::move(split)),
      content_(std::move(content)),
      loss_(chosen_loss(options, split_.popularity.size())),
      sampler_(split_.popularity, options.negative_power),
      short_products_(products_are_short(options.precision, net.items.is_cuda())) {}

std::vector<std::pair<std::string, at::Tensor>> SequenceTrainee::parameters() {
    return named_of(net_);
}

std::vector<Batch> SequenceTrainee::plan_epoch(std::size_t batch_size, Rng rng) {
    windows_.clear();
    const auto n_sequences = split_.sequences.size();
    const auto passes = passes_per_epoch(n_sequences, options_.training.batch_size);
    for (std::size_t i = 0; i < n_sequences * passes; ++i) {
        cut(static_cast<std::uint32_t>(i % n_sequences), rng);
    }
    rng.shuffle(std::span{windows_});
    const auto length = [](const Window& w) { return w.end - w.begin; };
    return batches_by_length(std::span{windows_}, batch_size, length, rng);
}

at::Tensor SequenceTrainee::loss(const Batch& batch, Rng& rng) {
    std::vector<Tokens> inputs;
    Tokens targets;
    for (const auto index : batch) {
        const auto& [sequence, begin, end] = windows_[index];
        const auto& items = split_.sequences[sequence];
        Tokens input;
        for (auto i = begin; i < end; ++i) {
            input.push_back(i == 0 ? 0 : items[i - 1]);
            targets.push_back(items[i] - 1);
        }
        inputs.push_back(std::move(input));
    }
    const TokenBatch tokens{inputs};
    std::vector<std::int64_t> places;
    for (std::size_t row = 0; row < inputs.size(); ++row) {
        for (std::size_t t = 0; t < inputs[row].size(); ++t) {
            places.push_back(
                static_cast<std::int64_t>(row) * tokens.longest + static_cast<std::int64_t>(t)
            );
        }
    }
    const auto table = training_table(rng);  // float32: its gradient is a sum over all events
    const ShortProducts guard{short_products_};
    const auto states = net_.states(net_.token_table(table), tokens, {options_.dropout, rng})
                            .flatten(0, 1)
                            .index_select(0, placed(encode::index_tensor(places)));
    const auto answers = placed(encode::index_tensor(targets));
    return token_loss(
        state_for_logits(states, options_.temperature),
        for_logits(table, options_.temperature),
        answers,
        rng
    );
}

std::optional<double> SequenceTrainee::validate() {
    if (split_.queries.empty()) {
        return std::nullopt;
    }
    const at::NoGradGuard no_grad;
    const auto table = net_.item_table(content_);
    const auto token_table = net_.token_table(table);
    const auto logit_table = for_logits(table, options_.temperature);
    return mean_ndcg(
        split_.queries,
        split_.popularity.size(),
        [&](std::span<const Query> queries, MatrixView<float> out) {
            std::vector<Tokens> sequences;
            for (const auto& query : queries) {
                Tokens tokens;
                for (const auto item : query.context) {
                    tokens.push_back(1 + static_cast<std::int64_t>(item.value));
                }
                sequences.push_back(with_start(std::move(tokens), net_.shape.max_length));
            }
            const auto states =
                state_for_logits(last_states(net_, token_table, sequences), options_.temperature);
            encode::to_matrix(states.matmul(logit_table.t()), out);
        }
    );
}

SequenceTrainee::Loss SequenceTrainee::chosen_loss(
    const SequenceOptions& options, std::size_t n_items
) {
    constexpr std::size_t small = 20'000;
    if (options.loss == "full" || (options.loss == "auto" && n_items <= small)) {
        return Loss::full;
    }
    if (options.loss == "gbce") {
        return Loss::gbce;
    }
    return options.loss == "bce" ? Loss::bce : Loss::sampled;
}

void SequenceTrainee::cut(std::uint32_t sequence, Rng& rng) {
    const auto n = static_cast<std::uint32_t>(split_.sequences[sequence].size());
    const auto most = static_cast<std::uint32_t>(net_.shape.max_length);
    if (options_.long_histories == "last" && n > most) {
        windows_.push_back({sequence, n - most, n});
        return;
    }
    auto end = n <= most ? n : 1 + static_cast<std::uint32_t>(rng.below(most));
    for (std::uint32_t begin = 0; begin < n; begin = end, end = std::min(n, end + most)) {
        windows_.push_back({sequence, begin, end});
    }
}

at::Tensor SequenceTrainee::training_table(Rng& rng) const {
    if (net_.shape.content_dim == 0 || options_.content_only_share <= 0) {
        return net_.item_table(content_);
    }
    std::vector<float> keep(split_.popularity.size());
    for (auto& k : keep) {
        k = rng.uniform() < options_.content_only_share ? 0.0F : 1.0F;
    }
    return net_.item_table(
        content_, placed(torch::tensor(at::ArrayRef<float>{keep}, at::kFloat).unsqueeze(1))
    );
}

at::Tensor SequenceTrainee::placed(const at::Tensor& tensor) const {
    return tensor.to(net_.items.device());
}

at::Tensor SequenceTrainee::token_loss(
    const at::Tensor& states, const at::Tensor& table, const at::Tensor& targets, Rng& rng
) const {
    switch (loss_) {
        case Loss::full:
            return full_softmax_loss(states, table, targets);
        case Loss::bce:
            return bce_loss(
                states,
                table,
                targets,
                sampler_.draw(static_cast<std::size_t>(targets.size(0)), rng)
            );
        case Loss::sampled:
        case Loss::gbce:
            break;
    }
    if (loss_ == Loss::gbce) {
        const auto n_groups = (targets.size(0) + gbce_group - 1) / gbce_group;
        const auto count = static_cast<std::size_t>(n_groups * options_.negatives);
        return gbce_loss(states, table, targets, sampler_.draw(count, rng), options_.calibration);
    }
    const auto negatives = sampler_.draw(static_cast<std::size_t>(options_.negatives), rng);
    return sampled_softmax_loss(states, table, targets, negatives, options_.correct_log_q);
}

}  // namespace hg::train
