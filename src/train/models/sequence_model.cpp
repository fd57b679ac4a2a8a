// SPDX-License-Identifier: Apache-2.0
#include "train/models/sequence_model.hpp"

#include "encode/device_net.hpp"
#include "encode/tensor_io.hpp"
#include "train/models/sequence_tokens.hpp"
#include "train/models/sequence_trainee.hpp"
#include "train/run.hpp"
#include "train/trainer.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace hg::train {
namespace {

class SequenceModel final : public Recommender {
  public:
    /// `table`: the finished item vectors, [N, D].
    SequenceModel(std::shared_ptr<SequenceNet> net, const at::Tensor& table, double temperature)
        : net_(std::move(net)), temperature_(temperature) {
        const at::NoGradGuard no_grad;
        tokens_ = net_->token_table(table);
        table_ = tokens_.slice(0, 1);
        logit_table_ = for_logits(table_, temperature_).contiguous();
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        const at::NoGradGuard no_grad;
        encode::to_matrix(states_of(histories).matmul(logit_table_.t()), out);
    }

    [[nodiscard]] std::size_t n_items() const override {
        return static_cast<std::size_t>(table_.size(0));
    }

    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return MatrixView<const float>{
            logit_table_.const_data_ptr<float>(),
            n_items(),
            static_cast<std::size_t>(table_.size(1))
        };
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        encode::to_matrix(states_of(histories), out);
    }

    [[nodiscard]] bool score_new_items(
        std::span<const data::History> histories,
        MatrixView<const float> content,
        MatrixView<float> out
    ) const override {
        if (net_->shape.content_dim == 0) {
            return false;
        }
        HG_CHECK(
            std::cmp_equal(content.cols(), net_->shape.content_dim),
            "content must come from the encoder this model was trained with"
        );
        const at::NoGradGuard no_grad;
        const auto vectors = for_logits(unit_rows(content).matmul(net_->projection), temperature_);
        encode::to_matrix(states_of(histories).matmul(vectors.t()), out);
        return true;
    }

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override {
        if (!std::cmp_equal(content.cols(), net_->shape.content_dim)) {
            return nullptr;
        }
        const at::NoGradGuard no_grad;
        auto placed = unit_rows(content).matmul(net_->projection);
        return std::make_unique<SequenceModel>(net_, at::cat({table_, placed}), temperature_);
    }

    /// The item vectors with their content added ("table") in place of the two parts.
    void save(SafetensorsWriter& weights) const override {
        for (const auto& parameter : net_->named_parameters()) {
            if (parameter.key() != "items") {
                encode::add_tensor(weights, parameter.key(), parameter.value());
            }
        }
        encode::add_tensor(weights, "table", table_);
    }

  private:
    /// As the logits want them, [B, D].
    [[nodiscard]] at::Tensor states_of(std::span<const data::History> histories) const {
        const at::NoGradGuard no_grad;
        std::vector<Tokens> sequences;
        for (const auto& history : histories) {
            sequences.push_back(with_start(tokens_of(history), net_->shape.max_length));
        }
        return state_for_logits(last_states(*net_, tokens_, sequences), temperature_);
    }

    std::shared_ptr<SequenceNet> net_;
    at::Tensor tokens_;       // [1 + N, D]
    at::Tensor table_;        // [N, D], the same memory
    at::Tensor logit_table_;  // [N, D], table_ as the logits want it
    double temperature_;
};

SequenceShape shape_of(
    std::string_view label,
    BlockKind block,
    const SequenceOptions& options,
    std::size_t n_items,
    std::size_t content_dim
) {
    if (options.dim % options.heads != 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: dim = {} is not a multiple of heads = {}", label, options.dim, options.heads
            ),
            "choose heads that divide dim",
        };
    }
    return {
        .block = block,
        .n_items = static_cast<std::int64_t>(n_items),
        .dim = options.dim,
        .blocks = options.blocks,
        .heads = options.heads,
        .max_length = options.max_length,
        .content_dim = static_cast<std::int64_t>(content_dim),
    };
}

using NetPointer = std::shared_ptr<SequenceNet>;

NetPointer learn(
    std::string_view label,
    const SequenceShape& shape,
    const FitContext& context,
    const SequenceOptions& options,
    const at::Tensor& content,
    TrainResult* told = nullptr
) {
    auto split = split_log(context.log, options.validate, context.rng.split("validation users"));
    if (split.sequences.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{}: no user of the log has a positive event", label),
            "look at the event weights in dataset.toml",
        };
    }
    const auto net = std::make_shared<SequenceNet>(shape);
    torch::manual_seed(context.rng.split("weights")());
    net->initialise();  // on the host: the same for every device
    const auto device = encode::find_device(options.device);
    net->to(device);
    SequenceTrainee trainee{
        *net, options, std::move(split), content.defined() ? content.to(device) : content
    };
    auto settings = options_json(options);
    settings.erase("device");  // what was begun on one goes on on another
    auto how = options.training.of(
        label, fmt::format("{} {} {}", settings.dump(), context.log.size(), shape.content_dim)
    );
    how.warmup_steps = options.warmup_steps;
    how.beta2 = 0.98;
    const auto result = train(trainee, how, context);
    note_result(result, context);
    if (told != nullptr) {
        *told = result;
    }
    net->to(at::kCPU);
    return net;
}

/// First with the last events held out, to find how many epochs are best; then from the start with
/// everything for so many. Each stage has a checkpoint of its own, so a stopped fit goes on where
/// it was.
NetPointer learn_twice(
    std::string_view label,
    const SequenceShape& shape,
    const FitContext& context,
    const SequenceOptions& options,
    const at::Tensor& content
) {
    std::optional<RunWriter> trial;
    if (context.run != nullptr) {
        trial.emplace(context.run->folder() / "parts" / "choose_epoch");
    }
    FitContext first = context;
    first.run = trial ? &*trial : nullptr;
    TrainResult found;
    auto net = learn(label, shape, first, options, content, &found);
    if (!found.best_validation) {
        return net;  // nothing could be held out: it has learned from everything already
    }
    auto all = options;
    all.validate = false;
    all.training.epochs = found.best_epoch;
    all.training.patience = 0;
    net = learn(label, shape, context, all, content);
    if (trial) {
        note_result(found, context);
        std::error_code ignored;
        std::filesystem::remove(trial->checkpoint_path(), ignored);
    }
    return net;
}

}  // namespace

std::unique_ptr<Recommender> fit_sequence_model(
    std::string_view label,
    BlockKind block,
    const FitContext& context,
    const SequenceOptions& options
) {
    const bool has_content =
        options.use_content && context.content != nullptr && context.content->dim() > 0;
    const auto n_items = context.log.n_items();
    const auto content_dim = has_content ? context.content->dim() : 0;
    constexpr double rows_of_logits = 64;  // of the full softmax, at once
    check_memory({
        .what = fmt::format("{}: {} items in {} numbers", label, n_items, options.dim),
        .bytes = trained_bytes(n_items, static_cast<std::size_t>(options.dim)) +
                 static_cast<double>(n_items) * sizeof(float) *
                     (static_cast<double>(content_dim) + rows_of_logits),
        .limit_bytes = context.memory_limit,
        .hint = "fewer numbers, --set dim=32, or fewer items",
    });
    const auto content = has_content ? unit_rows(context.content->vectors.view()) : at::Tensor{};
    const auto shape = shape_of(label, block, options, n_items, content_dim);
    auto learned = options.refit && options.validate
                       ? learn_twice(label, shape, context, options, content)
                       : learn(label, shape, context, options, content);
    const at::NoGradGuard no_grad;
    const auto table = learned->item_table(content);
    return std::make_unique<SequenceModel>(std::move(learned), table, options.temperature);
}

std::unique_ptr<Recommender> load_sequence_model(
    std::string_view label,
    BlockKind block,
    const SafetensorsFile& weights,
    const SequenceOptions& options
) {
    const auto table = encode::load_tensor(weights, "table");
    const bool has_content = weights.contains("projection");
    const auto content_dim =
        has_content ? encode::load_tensor(weights, "projection").size(0) : std::int64_t{0};
    const auto n_items = table.dim() == 2 ? table.size(0) : 0;
    const auto net = std::make_shared<SequenceNet>(shape_of(
        label,
        block,
        options,
        static_cast<std::size_t>(n_items),
        static_cast<std::size_t>(content_dim)
    ));
    encode::copy_tensor(weights, "table", net->items);
    for (auto& parameter : net->named_parameters()) {
        if (parameter.key() != "items") {
            encode::copy_tensor(weights, parameter.key(), parameter.value());
        }
    }
    return std::make_unique<SequenceModel>(net, table, options.temperature);
}

}  // namespace hg::train
