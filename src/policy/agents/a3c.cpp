// SPDX-License-Identifier: Apache-2.0
// A3C (Mnih et al., 2016): workers act in worlds of their own with a copy of the network, and send
// their gradients to the shared one whenever they have some, without waiting for each other.
//
// Deviation: the shared step of Adam is taken under a lock (a gradient is stale, never torn). The
// order of the workers is the scheduler's, so two runs of one seed differ when there is more than
// one worker.
#include "policy/actor_critic_net.hpp"
#include "policy/stepper.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace hg::policy {
namespace {

struct A3cOptions : ActorCriticOptions {
    std::int64_t workers = 2;
    std::int64_t users_per_worker = 32;

    A3cOptions() { rollout = 8; }

    static void describe(OptionBinder& bind, A3cOptions& o) {
        ActorCriticOptions::describe(bind, o);
        bind("workers", o.workers, "threads that act and learn", {.min = 1, .max = 64});
        bind(
            "users_per_worker", o.users_per_worker, "users each acts for", {.min = 1, .max = 4096}
        );
    }
};

class A3cAgent final : public ActorCritic {
  public:
    A3cAgent(const AgentContext& context, const A3cOptions& options)
        : ActorCritic(context, options), facts_(context.world), a3c_(options) {
        session_size_ = context.session_size;
    }

    void set_progress(double share) override {
        ActorCritic::set_progress(share);
        progress_ = share;
    }

    std::optional<std::int64_t> learn_with_workers(
        const simulate::EnvironmentBatch& world,
        std::uint64_t seed,
        std::int64_t steps,
        const std::stop_token& stop
    ) override;

    /// Makes this a worker: its gradients go to `shared`, under the lock.
    void learn_for(A3cAgent& shared, std::mutex& mutex) {
        shared_ = &shared;
        mutex_ = &mutex;
        copy_weights(shared.net().named(), net().named());
    }

  protected:
    void update(const Rollout& rollout, Rng& /*rng*/, const MetricSink& log) override {
        const auto loss = advantage_loss(rollout);
        exchange(loss);
        log("loss", loss.item<double>());
    }

  private:
    /// A worker hands its gradients to the shared agent and takes its weights; the shared agent
    /// itself, shown transitions like any other, just descends.
    void exchange(const at::Tensor& loss) {
        if (shared_ == nullptr) {
            descend(loss);
            return;
        }
        for (const auto& [name, parameter] : net().named()) {
            auto gradient = parameter.grad();
            if (gradient.defined()) {
                gradient.zero_();
            }
        }
        loss.backward();
        const std::scoped_lock lock{*mutex_};
        shared_->take_gradients(net().named());
        copy_weights(shared_->net().named(), net().named());
    }

    void take_gradients(const train::Adam::NamedTensors& from) {
        const auto mine = net().named();
        at::Tensor stand_in = at::zeros({});
        for (std::size_t i = 0; i < mine.size(); ++i) {
            if (from[i].second.grad().defined()) {
                // The gradient of sum(parameter * g) with respect to the parameter is g.
                stand_in = stand_in + (mine[i].second * from[i].second.grad().detach()).sum();
            }
        }
        descend(stand_in);
    }

    static void copy_weights(
        const train::Adam::NamedTensors& from, const train::Adam::NamedTensors& to
    ) {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < from.size(); ++i) {
            auto target = to[i].second;
            target.copy_(from[i].second);
        }
    }

    simulate::EnvironmentFacts facts_;
    A3cOptions a3c_;
    std::size_t session_size_ = 0;
    double progress_ = 0;
    A3cAgent* shared_ = nullptr;   // of a worker: whom it learns for
    std::mutex* mutex_ = nullptr;  // guards the shared network
};

/// One worker: acts for its users until the common budget is spent.
void work(
    A3cAgent& agent,
    simulate::EnvironmentBatch& world,
    std::size_t session_tokens,
    Rng rng,
    std::atomic<std::int64_t>& steps_left,
    std::atomic<std::int64_t>& steps_done,
    const std::stop_token& stop
) {
    Stepper stepper{world, session_tokens};
    stepper.reset(rng());
    const MetricSink quiet = [](std::string_view, double) {};
    const auto users = static_cast<std::int64_t>(world.size());
    while (steps_left.fetch_sub(users) > 0 && !stop.stop_requested()) {
        agent.observe(stepper.take(agent, Mode::explore, rng), rng, quiet);
        steps_done += users;
    }
}

std::optional<std::int64_t> A3cAgent::learn_with_workers(
    const simulate::EnvironmentBatch& world,
    std::uint64_t seed,
    std::int64_t steps,
    const std::stop_token& stop
) {
    const Rng rng{seed};
    const auto tokens = session_size_ / SessionTokens::token_size(facts_);
    std::mutex mutex;
    std::atomic<std::int64_t> steps_left{steps};
    std::atomic<std::int64_t> steps_done{0};
    std::vector<std::unique_ptr<A3cAgent>> agents;
    std::vector<std::unique_ptr<simulate::EnvironmentBatch>> worlds;
    std::vector<std::exception_ptr> failures(static_cast<std::size_t>(a3c_.workers));
    for (std::size_t w = 0; w < failures.size(); ++w) {
        const AgentContext context{
            .world = facts_, .session_size = session_size_, .rng = rng.split("network")
        };
        agents.push_back(std::make_unique<A3cAgent>(context, a3c_));
        agents.back()->learn_for(*this, mutex);
        agents.back()->set_progress(progress_);
        worlds.push_back(world.make_another(static_cast<std::size_t>(a3c_.users_per_worker)));
    }
    {
        std::vector<std::jthread> threads;
        for (std::size_t w = 0; w < failures.size(); ++w) {
            threads.emplace_back([&, w] {
                try {
                    work(
                        *agents[w], *worlds[w], tokens, rng.split(w), steps_left, steps_done, stop
                    );
                } catch (...) {
                    failures[w] = std::current_exception();
                }
            });
        }
    }
    for (const auto& failure : failures) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    return steps_done.load();
}

std::unique_ptr<Agent> a3c_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<A3cAgent>(context, settings.read<A3cOptions>());
}

}  // namespace

extern const AgentEntry a3c{
    .name = "a3c",
    .summary = "asynchronous actor-critic: workers with worlds of their own share one network",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<A3cOptions>,
    .make = &a3c_agent,
    .session_tokens = &session_tokens_of<A3cOptions>,
};

}  // namespace hg::policy
