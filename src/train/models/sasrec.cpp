// SPDX-License-Identifier: Apache-2.0
// sasrec: self-attention over a user's last items predicts the next one.
//
// Kang and McAuley, "Self-Attentive Sequential Recommendation" (2018). Deviations: pre-norm blocks
// with GELU; the full softmax where the catalogue is small (Klenitskiy and Vasilev, 2023: the loss
// decides), else the sampled one; a learned start token, so that an empty history has scores; an
// item is its own vector plus its projected content, so that items which did not exist are scored
// too; sequences are filled up at the end.
#include "train/holdout.hpp"
#include "train/model_entry.hpp"
#include "train/models/sasrec_net.hpp"
#include "train/ranking_loss.hpp"
#include "train/run.hpp"
#include "train/tensor_io.hpp"
#include "train/trainer.hpp"
#include "train/user_model.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::train {
namespace {

using Tokens = std::vector<std::int64_t>;

struct SasrecOptions {
    std::int64_t dim = 64;
    std::int64_t blocks = 2;
    std::int64_t heads = 2;
    std::int64_t max_length = 200;
    double dropout = 0.3;
    std::int64_t epochs = 100;
    std::int64_t batch_size = 32;
    std::int64_t patience = 6;
    double learning_rate = 2e-3;
    double weight_decay = 0;
    std::int64_t warmup_steps = 100;
    std::string loss = "auto";
    std::int64_t negatives = 256;
    double negative_power = 0;
    bool correct_log_q = true;
    double temperature = 0;
    bool use_content = true;
    double content_only_share = 0.1;
    bool validate = true;

    static void describe(OptionBinder& bind, SasrecOptions& o) {
        bind("dim", o.dim, "width of item vectors and states", {.min = 1, .max = 4096});
        bind("blocks", o.blocks, "transformer blocks", {.min = 1, .max = 64});
        bind("heads", o.heads, "attention heads; divides dim", {.min = 1, .max = 64});
        bind(
            "max_length",
            o.max_length,
            "how many of the last events count",
            {.min = 2, .max = 65536}
        );
        bind("dropout", o.dropout, "share of units dropped in training", {.min = 0, .max = 0.95});
        bind("epochs", o.epochs, "passes over the log, at most", {.min = 1, .max = 1e6});
        bind("batch_size", o.batch_size, "sequences per step", {.min = 1, .max = 1e6});
        bind(
            "patience",
            o.patience,
            "epochs without a better validation before stopping; 0 = never",
            {.min = 0}
        );
        bind("learning_rate", o.learning_rate, "step size of AdamW", {.min = 1e-8, .max = 10});
        bind("weight_decay", o.weight_decay, "decoupled decay of matrices", {.min = 0, .max = 10});
        bind(
            "warmup_steps", o.warmup_steps, "steps over which the learning rate rises", {.min = 0}
        );
        bind(
            "loss",
            o.loss,
            "softmax over all items, over sampled ones, or one negative; auto = full up to 20,000 "
            "items",
            {.choices = {"auto", "full", "sampled", "bce"}}
        );
        bind(
            "negatives",
            o.negatives,
            "items drawn per step by loss = sampled",
            {.min = 1, .max = 1e6}
        );
        bind(
            "negative_power",
            o.negative_power,
            "negatives ~ popularity to this power",
            {.min = 0, .max = 1}
        );
        bind(
            "correct_log_q",
            o.correct_log_q,
            "sampled: correct the logits for how often an item is drawn"
        );
        bind(
            "temperature",
            o.temperature,
            "0 = inner products; above 0 = cosines divided by it (0.05 suits sampled)",
            {.min = 0, .max = 10}
        );
        bind("use_content", o.use_content, "add projected item vectors where the dataset has them");
        bind(
            "content_only_share",
            o.content_only_share,
            "share of items whose own vector is dropped in a step, so that content stands alone "
            "for new items",
            {.min = 0, .max = 0.9}
        );
        bind("validate", o.validate, "hold out each user's last event to choose the epoch");
    }
};

/// Positive items as tokens (1 + item), oldest first.
Tokens tokens_of(const data::History& history) {
    Tokens tokens;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (history.weight(i) > 0) {
            tokens.push_back(1 + static_cast<std::int64_t>(history.items[i].value));
        }
    }
    return tokens;
}

/// The last max_length tokens of (start, items...).
Tokens with_start(Tokens items, std::int64_t max_length) {
    const auto most = static_cast<std::size_t>(max_length);
    if (items.size() < most) {
        items.insert(items.begin(), 0);
    } else {
        items.erase(items.begin(), items.end() - static_cast<std::ptrdiff_t>(most));
    }
    return items;
}

/// Content rows at length 1, so that encoders of any scale suit one initialisation; a missing row
/// stays 0.
at::Tensor unit_rows(MatrixView<const float> content) {
    const auto rows = to_tensor(content);
    return rows / rows.norm(2, {1}, true).clamp_min(1e-12);
}

/// Vectors as the logits want them: as they are, or at length 1.
at::Tensor for_logits(const at::Tensor& rows, double temperature) {
    return temperature > 0 ? rows / rows.norm(2, {1}, true).clamp_min(1e-6) : rows;
}

at::Tensor state_for_logits(const at::Tensor& states, double temperature) {
    return temperature > 0 ? for_logits(states, temperature) / temperature : states;
}

/// The state after the last token of each sequence, [B, D]; sequences of any length up to
/// max_length.
at::Tensor last_states(SasrecNet& net, const at::Tensor& table, std::span<const Tokens> sequences) {
    const TokenBatch batch{sequences};
    const auto states = net.states(table, batch);
    std::vector<std::int64_t> last;
    for (const auto& s : sequences) {
        last.push_back(static_cast<std::int64_t>(s.size()) - 1);
    }
    const auto rows = at::arange(static_cast<std::int64_t>(sequences.size()), at::kLong);
    const auto flat =
        rows * batch.longest + torch::tensor(at::ArrayRef<std::int64_t>{last}, at::kLong);
    return states.flatten(0, 1).index_select(0, flat);
}

class Sasrec final : public Recommender, public UserModel {
  public:
    /// `table`: the finished item vectors, [N, D].
    Sasrec(std::shared_ptr<SasrecNet> net, at::Tensor table, double temperature)
        : net_(std::move(net)), table_(std::move(table)), temperature_(temperature) {
        const at::NoGradGuard no_grad;
        const auto vectors = for_logits(table_, temperature_);
        item_vectors_ = Matrix<float>(n_items(), dim());
        to_matrix(vectors, item_vectors_.view());
        logit_table_ = vectors.contiguous();
    }

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for_chunks(histories, [&](const at::Tensor& states, std::span<const std::size_t> rows) {
            scatter(states.matmul(logit_table_.t()), rows, out);
        });
    }

    [[nodiscard]] std::size_t n_items() const override {
        return static_cast<std::size_t>(table_.size(0));
    }

    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return item_vectors_.view();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        for_chunks(histories, [&](const at::Tensor& states, std::span<const std::size_t> rows) {
            scatter(states, rows, out);
        });
    }

    void represent(std::span<const data::History> histories, MatrixView<float> out) const override {
        user_vectors(histories, out);
    }

    [[nodiscard]] std::size_t dim() const override {
        return static_cast<std::size_t>(table_.size(1));
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
        for_chunks(histories, [&](const at::Tensor& states, std::span<const std::size_t> rows) {
            scatter(states.matmul(vectors.t()), rows, out);
        });
        return true;
    }

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override {
        if (!std::cmp_equal(content.cols(), net_->shape.content_dim)) {
            return nullptr;
        }
        const at::NoGradGuard no_grad;
        auto placed = unit_rows(content).matmul(net_->projection);
        return std::make_unique<Sasrec>(net_, at::cat({table_, placed}), temperature_);
    }

    /// The item vectors with their content added ("table") in place of the two parts.
    void save(SafetensorsWriter& weights) const override {
        for (const auto& parameter : net_->named_parameters()) {
            if (parameter.key() != "items") {
                add_tensor(weights, parameter.key(), parameter.value());
            }
        }
        add_tensor(weights, "table", table_);
    }

  private:
    /// Calls use(states [chunk, D], rows of `histories`), similar lengths together.
    template <typename Use>
    void for_chunks(std::span<const data::History> histories, const Use& use) const {
        const at::NoGradGuard no_grad;
        std::vector<Tokens> sequences;
        for (const auto& history : histories) {
            sequences.push_back(with_start(tokens_of(history), net_->shape.max_length));
        }
        std::vector<std::size_t> order(sequences.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::ranges::stable_sort(order, {}, [&](std::size_t i) { return sequences[i].size(); });
        constexpr std::size_t chunk = 64;
        for (std::size_t first = 0; first < order.size(); first += chunk) {
            const auto rows = std::span<const std::size_t>{order}.subspan(
                first, std::min(chunk, order.size() - first)
            );
            std::vector<Tokens> part;
            for (const auto row : rows) {
                part.push_back(std::move(sequences[row]));
            }
            use(state_for_logits(last_states(*net_, table_, part), temperature_), rows);
        }
    }

    static void scatter(
        const at::Tensor& values, std::span<const std::size_t> rows, MatrixView<float> out
    ) {
        HG_CHECK(
            std::cmp_equal(values.size(1), out.cols()), "the matrix must have a column per item"
        );
        const auto host = values.contiguous();
        const auto* from = host.const_data_ptr<float>();
        for (const auto row : rows) {
            std::copy_n(from, out.cols(), out.row(row).data());
            from += out.cols();
        }
    }

    std::shared_ptr<SasrecNet> net_;
    at::Tensor table_;        // [N, D]
    at::Tensor logit_table_;  // [N, D], table_ as the logits want it
    double temperature_;
    Matrix<float> item_vectors_;
};

enum class Loss : std::uint8_t { full, sampled, bce };

Loss chosen_loss(const SasrecOptions& options, std::size_t n_items) {
    constexpr std::size_t small = 20'000;
    if (options.loss == "full" || (options.loss == "auto" && n_items <= small)) {
        return Loss::full;
    }
    return options.loss == "bce" ? Loss::bce : Loss::sampled;
}

/// Training sequences with each user's last event held out (or not), and the questions they answer.
struct Split {
    std::vector<Tokens> sequences;  // items of a user, oldest first
    std::vector<Query> queries;
    std::vector<float> popularity;  // [N]
};

/// At most this many users are asked: more would cost time and decide nothing.
constexpr std::size_t most_queries = 5000;

Split split_log(const data::InteractionLog& log, bool validate, Rng rng) {
    Split split;
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

class SasrecTrainee final : public Trainee {
  public:
    SasrecTrainee(SasrecNet& net, const SasrecOptions& options, Split split, at::Tensor content)
        : net_(net),
          options_(options),
          split_(std::move(split)),
          content_(std::move(content)),
          loss_(chosen_loss(options, split_.popularity.size())),
          sampler_(split_.popularity, options.negative_power) {}

    [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> parameters() override {
        std::vector<std::pair<std::string, at::Tensor>> all;
        for (const auto& p : net_.named_parameters()) {
            all.emplace_back(p.key(), p.value());
        }
        return all;
    }

    [[nodiscard]] std::size_t n_examples() const override { return split_.sequences.size(); }

    /// Windows of at most max_length tokens, long users cut at a random place; batches of similar
    /// length.
    [[nodiscard]] std::vector<Batch> plan_epoch(std::size_t batch_size, Rng rng) override {
        windows_.clear();
        const auto n_sequences = split_.sequences.size();
        const auto passes = passes_per_epoch(n_sequences, options_.batch_size);
        for (std::size_t i = 0; i < n_sequences * passes; ++i) {
            cut(static_cast<std::uint32_t>(i % n_sequences), rng);
        }
        rng.shuffle(std::span{windows_});
        constexpr std::size_t pool_batches = 8;
        const auto pool = batch_size * pool_batches;
        for (std::size_t first = 0; first < windows_.size(); first += pool) {
            const auto part =
                std::span{windows_}.subspan(first, std::min(pool, windows_.size() - first));
            std::ranges::stable_sort(part, {}, [](const Window& w) { return w.end - w.begin; });
        }
        std::vector<Batch> batches;
        for (std::size_t first = 0; first < windows_.size(); first += batch_size) {
            Batch batch(std::min(batch_size, windows_.size() - first));
            std::iota(batch.begin(), batch.end(), static_cast<std::uint32_t>(first));
            batches.push_back(std::move(batch));
        }
        rng.shuffle(std::span{batches});
        return batches;
    }

    /// Mean over the batch's events of the loss of predicting each from those before it.
    [[nodiscard]] at::Tensor loss(const Batch& batch, Rng& rng) override {
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
        const auto table = training_table(rng);
        const auto states =
            net_.states(table, tokens, {options_.dropout, rng})
                .flatten(0, 1)
                .index_select(0, torch::tensor(at::ArrayRef<std::int64_t>{places}, at::kLong));
        const auto answers = torch::tensor(at::ArrayRef<std::int64_t>{targets}, at::kLong);
        return token_loss(
            state_for_logits(states, options_.temperature),
            for_logits(table, options_.temperature),
            answers,
            rng
        );
    }

    [[nodiscard]] std::optional<double> validate() override {
        if (split_.queries.empty()) {
            return std::nullopt;
        }
        const at::NoGradGuard no_grad;
        const auto table = net_.item_table(content_);
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
                    state_for_logits(last_states(net_, table, sequences), options_.temperature);
                to_matrix(states.matmul(logit_table.t()), out);
            }
        );
    }

  private:
    /// Predict events [begin, end) of a sequence, each from those of the window before it.
    struct Window {
        std::uint32_t sequence = 0;
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };

    void cut(std::uint32_t sequence, Rng& rng) {
        const auto n = static_cast<std::uint32_t>(split_.sequences[sequence].size());
        const auto most = static_cast<std::uint32_t>(net_.shape.max_length);
        auto end = n <= most ? n : 1 + static_cast<std::uint32_t>(rng.below(most));
        for (std::uint32_t begin = 0; begin < n; begin = end, end = std::min(n, end + most)) {
            windows_.push_back({sequence, begin, end});
        }
    }

    [[nodiscard]] at::Tensor training_table(Rng& rng) const {
        if (net_.shape.content_dim == 0 || options_.content_only_share <= 0) {
            return net_.item_table(content_);
        }
        std::vector<float> keep(split_.popularity.size());
        for (auto& k : keep) {
            k = rng.uniform() < options_.content_only_share ? 0.0F : 1.0F;
        }
        return net_.item_table(
            content_, torch::tensor(at::ArrayRef<float>{keep}, at::kFloat).unsqueeze(1)
        );
    }

    [[nodiscard]] at::Tensor token_loss(
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
                break;
        }
        const auto negatives = sampler_.draw(static_cast<std::size_t>(options_.negatives), rng);
        return sampled_softmax_loss(states, table, targets, negatives, options_.correct_log_q);
    }

    SasrecNet& net_;
    const SasrecOptions& options_;
    Split split_;
    at::Tensor content_;
    Loss loss_;
    NegativeSampler sampler_;
    std::vector<Window> windows_;
};

SasrecShape shape_of(const SasrecOptions& options, std::size_t n_items, std::size_t content_dim) {
    if (options.dim % options.heads != 0) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "sasrec: dim = {} is not a multiple of heads = {}", options.dim, options.heads
            ),
            "choose heads that divide dim",
        };
    }
    return {
        .n_items = static_cast<std::int64_t>(n_items),
        .dim = options.dim,
        .blocks = options.blocks,
        .heads = options.heads,
        .max_length = options.max_length,
        .content_dim = static_cast<std::int64_t>(content_dim),
    };
}

std::unique_ptr<Recommender> fit(const FitContext& context, const Settings& settings) {
    const auto options = settings.read<SasrecOptions>();
    const bool has_content =
        options.use_content && context.content != nullptr && context.content->dim() > 0;
    auto split = split_log(context.log, options.validate, context.rng.split("validation users"));
    if (split.sequences.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "sasrec: no user of the log has a positive event",
            "look at the event weights in dataset.toml",
        };
    }
    const auto net = std::make_shared<SasrecNet>(
        shape_of(options, context.log.n_items(), has_content ? context.content->dim() : 0)
    );
    torch::manual_seed(context.rng.split("weights")());
    net->initialise();
    const auto content = has_content ? unit_rows(context.content->vectors.view()) : at::Tensor{};
    SasrecTrainee trainee{*net, options, std::move(split), content};
    const auto result = train(
        trainee,
        {
            .label = "sasrec",
            .epochs = options.epochs,
            .batch_size = options.batch_size,
            .patience = options.patience,
            .learning_rate = options.learning_rate,
            .weight_decay = options.weight_decay,
            .warmup_steps = options.warmup_steps,
            .beta2 = 0.98,
            .fingerprint = fmt::format(
                "{} {} {}", options_json(options).dump(), context.log.size(), net->shape.content_dim
            ),
        },
        context
    );
    note_result(result, context);
    const at::NoGradGuard no_grad;
    return std::make_unique<Sasrec>(net, net->item_table(content).clone(), options.temperature);
}

std::unique_ptr<Recommender> load(const SafetensorsFile& weights, const Settings& settings) {
    const auto options = settings.read<SasrecOptions>();
    auto table = load_tensor(weights, "table");
    const bool has_content = weights.contains("projection");
    const auto content_dim =
        has_content ? load_tensor(weights, "projection").size(0) : std::int64_t{0};
    const auto n_items = table.dim() == 2 ? table.size(0) : 0;
    const auto net = std::make_shared<SasrecNet>(
        shape_of(options, static_cast<std::size_t>(n_items), static_cast<std::size_t>(content_dim))
    );
    copy_tensor(weights, "table", net->items);
    for (auto& parameter : net->named_parameters()) {
        if (parameter.key() != "items") {
            copy_tensor(weights, parameter.key(), parameter.value());
        }
    }
    return std::make_unique<Sasrec>(net, std::move(table), options.temperature);
}

}  // namespace

extern const ModelEntry sasrec{
    .name = "sasrec",
    .summary = "self-attention over the last items",
    .facts = Fact::uses_content | Fact::uses_order | Fact::uses_gradient,
    .options = &describe_options<SasrecOptions>,
    .fit = &fit,
    .load = &load,
};

}  // namespace hg::train
