// SPDX-License-Identifier: Apache-2.0
// Evolution search over the knobs of a belief (belief_knob_net.hpp), or with head=knobs over those of a server
// (knob_head_net.hpp, worlds served:RUN): the cross-entropy method (Rubinstein,
// 1999; Mannor et al., 2003) on what episodes return, without a gradient. The control of meta_policy: the
// same belief and the same knobs, found by trying.
//
//   knobs_j ~ N(mu, diag s^2);  mu, s <- mean and deviation of the elite, s >= floor
//
// knobs=constant searches w and alpha of every channel; knobs=state the last layer of the actor, whose
// first layer stays as it was drawn; products=true also what an item's dot products with the user's
// numbers (liking of its topic, ...) weigh. All of a generation meet the same users; the first of them is mu
// itself. The belief learns by prediction from the sessions played, between generations, so that those
// compared had the same.
#include "policy/agent_net.hpp"
#include "policy/play.hpp"
#include "policy/scored_agent.hpp"
#include "policy/searched_knobs_net.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <numeric>
#include <vector>

namespace hg::policy {
namespace {

struct EvolutionOptions {
    std::string head = "belief";
    std::string knobs = "constant";
    bool products = false;
    std::int64_t population = 16;
    double elite_share = 0.25;
    std::int64_t episodes = 128;
    double deviation = 0.3;
    double least_deviation = 0.03;
    std::int64_t lessons = 128;
    std::int64_t session_length = 50;
    std::int64_t hidden = 8;
    double learning_rate = 3e-2;
    double final_rate_share = 0.05;

    static void describe(OptionBinder& bind, EvolutionOptions& o) {
        bind(
            "head",
            o.head,
            "whose knobs: of a belief of its own, or of a server (worlds served:RUN)",
            {.choices = {"belief", "knobs"}}
        );
        bind(
            "knobs",
            o.knobs,
            "what is searched: one for all, or the last layer of an actor",
            {.choices = {"constant", "state"}}
        );
        bind(
            "products",
            o.products,
            "also the weight of an item's dot products with the user's numbers, one per block of "
            "an "
            "item's width"
        );
        bind("population", o.population, "tried per generation", {.min = 2, .max = 10000});
        bind("elite_share", o.elite_share, "of them the next is drawn from", {.min = 0, .max = 1});
        bind("episodes", o.episodes, "each is judged by", {.min = 1, .max = 1e6});
        bind("deviation", o.deviation, "of the first generation", {.min = 1e-6, .max = 100});
        bind("least_deviation", o.least_deviation, "of every later one", {.min = 0, .max = 100});
        bind(
            "lessons",
            o.lessons,
            "steps of all users per generation that teach the belief; 0 = it stays as it begins",
            {.min = 0, .max = 1e6}
        );
        bind("session_length", o.session_length, "answers looked back on", {.min = 1, .max = 512});
        bind("hidden", o.hidden, "width of the actor, knobs=state", {.min = 1, .max = 4096});
        bind(
            "learning_rate",
            o.learning_rate,
            "step size of Adam, of the belief",
            {.min = 1e-7, .max = 1}
        );
        bind(
            "final_rate_share",
            o.final_rate_share,
            "what is left of the learning rate at the end",
            {.min = 0, .max = 1}
        );
    }
};

/// A server's own belief has read the session.
std::size_t tokens_of(const EvolutionOptions& options) {
    return options.head == "knobs" ? 0 : static_cast<std::size_t>(options.session_length);
}

class EvolutionAgent final : public ScoredAgent {
  public:
    EvolutionAgent(const AgentContext& context, const EvolutionOptions& options)
        : ScoredAgent(context.world), options_(options) {
        seed_torch(context.rng);
        net_ = make_searched_knobs(context, options.head, options.hidden);
        const auto last = net_->last_layer();
        const at::NoGradGuard no_grad;
        last->weight.zero_();
        searched_ = {last->bias};
        if (options.products) {
            refuse_products_of_a_server();
            product_weights_ = torch::zeros({product_count(context.world)});
            searched_.push_back(product_weights_);
            named_.emplace_back("product_weights", product_weights_);
        }
        if (options.knobs == "state") {
            searched_.push_back(last->weight);
        }
        std::ranges::move(net_->named(), std::back_inserter(named_));
        adam_ = std::make_unique<train::Adam>(
            net_->taught(),
            train::AdamOptions{.learning_rate = options.learning_rate, .clip_norm = 1}
        );
        read_mean();
        deviation_.assign(mean_.size(), options.deviation);
    }

    std::optional<std::int64_t> learn_with_workers(
        const simulate::EnvironmentBatch& world,
        std::uint64_t seed,
        std::int64_t steps,
        const std::stop_token& stop
    ) override {
        const auto users = world.make_another(
            static_cast<std::size_t>(std::min<std::int64_t>(options_.episodes, 64))
        );
        Rng rng = Rng{seed}.split("evolution");
        std::int64_t done = 0;
        for (owed_ += static_cast<double>(steps); owed_ > 0 && !stop.stop_requested();) {
            const auto spent = generation(*users, rng, stop);
            owed_ -= static_cast<double>(spent);
            done += spent;
        }
        return done;
    }

    void set_progress(double share) override {
        adam_->set_rate_share(1 - (1 - options_.final_rate_share) * share);
    }

    void save(SafetensorsWriter& weights, Save what) const override {
        add_tensors(weights, "net.", named_);
        if (what == Save::resume) {
            add_adam(weights, "adam.", *adam_, adam_step_);
            weights.add("search.mean", std::span<const double>{mean_});
            weights.add("search.deviation", std::span<const double>{deviation_});
            const std::vector<double> owed{owed_};
            weights.add("search.owed", std::span<const double>{owed});
        }
    }

    void load(const SafetensorsFile& weights, Save what) override {
        copy_tensors(weights, "net.", named_);
        if (what == Save::resume) {
            adam_step_ = load_adam(weights, "adam.", *adam_);
            mean_ = numbers(weights, "search.mean", mean_.size());
            deviation_ = numbers(weights, "search.deviation", mean_.size());
            owed_ = numbers(weights, "search.owed", 1).front();
        }
    }

    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    ) override {
        if (!net_->begin_with(agent, options, weights)) {
            return false;
        }
        read_mean();
        return true;
    }

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const at::NoGradGuard no_grad;
        const auto in = borrow(seen, world().n_candidates);
        auto scores = net_->scores(in);
        if (product_weights_.defined()) {
            const auto products = item_products(in, product_weights_.size(0));
            scores = scores + at::matmul(products, product_weights_);
        }
        encode::to_matrix(scores.contiguous(), out);
    }

    SlateRule rule(Mode mode) const override {
        return {.draw = mode == Mode::explore ? SlateDraw::softmax : SlateDraw::greedy};
    }

  private:
    static std::vector<double> numbers(
        const SafetensorsFile& weights, const std::string& name, std::size_t n
    ) {
        const auto values = value_or_throw(weights.values<double>(name));
        if (values.size() != n) {
            throw Error{ErrorCode::corrupt, name + " has another size", "learn the agent again"};
        }
        return {values.begin(), values.end()};
    }

    void refuse_products_of_a_server() const {
        if (options_.head == "knobs") {
            throw Error{
                ErrorCode::invalid_argument,
                "products weighs what a server's knobs do not see",
                "leave products out, or take head=belief"
            };
        }
    }

    /// The search begins at what the network says now.
    void read_mean() {
        mean_.clear();
        for (const auto& tensor : searched_) {
            const auto* from = tensor.const_data_ptr<float>();
            mean_.insert(mean_.end(), from, from + tensor.numel());
        }
    }

    /// One population, tried and followed; returns the steps it took.
    std::int64_t generation(
        simulate::EnvironmentBatch& users, Rng& rng, const std::stop_token& stop
    ) {
        const auto n = static_cast<std::size_t>(options_.population);
        std::vector<std::vector<double>> tried(n, mean_);
        std::vector<double> earned(n);
        std::int64_t spent = 0;
        const auto seed = rng();
        std::vector<at::Tensor> sessions;
        for (std::size_t j = 0; j < n; ++j) {
            for (std::size_t d = 0; j > 0 && d < mean_.size(); ++d) {
                tried[j][d] += deviation_[d] * rng.normal();
            }
            put(tried[j]);
            const auto room = options_.head == "belief"
                                  ? static_cast<std::size_t>(options_.lessons) * (j + 1) / n
                                  : 0;
            const auto played = play(
                users,
                *this,
                {.episodes = static_cast<std::size_t>(options_.episodes),
                 .seed = seed,
                 .session_tokens = tokens_of(options_)},
                [&](const TransitionBatch& step, std::span<const std::uint64_t> /*episodes*/) {
                    if (sessions.size() < room) {
                        sessions.push_back(borrow(step.after, world().n_candidates).sessions.clone()
                        );
                    }
                },
                stop
            );
            earned[j] = played.mean_return.value;
            spent += static_cast<std::int64_t>(played.n_steps);
        }
        if (!stop.stop_requested()) {
            follow(tried, earned);
            teach(sessions);
        }
        put(mean_);
        return spent;
    }

    void follow(const std::vector<std::vector<double>>& tried, const std::vector<double>& earned) {
        std::vector<std::size_t> order(tried.size());
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::stable_sort(order, std::greater{}, [&](std::size_t j) { return earned[j]; });
        const auto wanted = std::lround(options_.elite_share * static_cast<double>(order.size()));
        order.resize(static_cast<std::size_t>(std::max(2L, wanted)));
        const auto n = static_cast<double>(order.size());
        for (std::size_t d = 0; d < mean_.size(); ++d) {
            double sum = 0;
            double squares = 0;
            for (const auto j : order) {
                sum += tried[j][d];
                squares += tried[j][d] * tried[j][d];
            }
            mean_[d] = sum / n;
            const double variance = std::max(0.0, squares / n - mean_[d] * mean_[d]);
            deviation_[d] = std::max(options_.least_deviation, std::sqrt(variance));
        }
    }

    void teach(const std::vector<at::Tensor>& sessions) {
        for (const auto& some : sessions) {
            adam_->descend(net_->lesson(some), ++adam_step_);
        }
    }

    void put(const std::vector<double>& values) {
        const at::NoGradGuard no_grad;
        std::size_t at = 0;
        for (auto& tensor : searched_) {
            auto* to = tensor.mutable_data_ptr<float>();
            for (std::int64_t i = 0; i < tensor.numel(); ++i) {
                to[i] = static_cast<float>(values[at++]);
            }
        }
    }

    EvolutionOptions options_;
    std::unique_ptr<SearchedKnobs> net_;
    train::Adam::NamedTensors named_;
    std::vector<at::Tensor> searched_;
    at::Tensor product_weights_;  // [product_count], undefined without products
    std::unique_ptr<train::Adam> adam_;
    std::int64_t adam_step_ = 0;
    std::vector<double> mean_;
    std::vector<double> deviation_;
    double owed_ = 0;  // steps of the budget not yet tried; below 0 = spent ahead
};

std::unique_ptr<Agent> evolution_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<EvolutionAgent>(context, settings.read<EvolutionOptions>());
}

std::size_t session_tokens(const Settings& settings) {
    return tokens_of(settings.read<EvolutionOptions>());
}

}  // namespace

extern const AgentEntry evolution{
    .name = "evolution",
    .summary =
        "cross-entropy search over the knobs of a belief or a server: the control of meta_policy",
    .facts = AgentFact::learns,
    .options = &describe_options<EvolutionOptions>,
    .make = &evolution_agent,
    .session_tokens = &session_tokens,
};

}  // namespace hg::policy
