// SPDX-License-Identifier: Apache-2.0
// Agent: a policy that learns by acting: scores for the candidates of many users at once, a slate
// rule that turns them into slates with exact propensities, and an update from what happened.
//
// One interface for bandits, tables and networks, on-policy and off: the loop (learn.hpp) shows
// every transition of the batch to observe(), and the agent decides when to update. After learning
// an agent is saved in a run; play.hpp and off-policy evaluation use act() and propensities() of
// the loaded one. Single-threaded.
//
//   auto agent = make_agent(find_agent("ppo"), {.world = world_facts, .rng = Rng{7}}, settings);
//   agent->act(seen, Mode::explore, rng, decisions);   batch.step(decisions.slates.view());
//   agent->observe({seen_before, decisions, ...});
#pragma once

#include "core/matrix.hpp"
#include "core/options.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "simulate/environment_batch.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace hg::encode {
class BertTrunk;
}

namespace hg::policy {

/// What a policy sees of B users. Borrowed.
struct ObservationBatch {
    MatrixView<const float> users;             // [B, user_size]
    MatrixView<const float> items;             // [B * n_candidates, item_size]
    MatrixView<const std::uint32_t> item_ids;  // [B, n_candidates]
    std::span<const std::uint32_t> states;     // [B], where the world has n_states
    MatrixView<const float> sessions;  // [B, session_size]: session_tokens.hpp; 0 wide = none

    [[nodiscard]] std::size_t size() const noexcept { return users.rows(); }
};

struct DecisionBatch {
    Matrix<std::uint32_t> slates;  // [B, k] indices of candidates
    /// [B, k] P(slot | slots above, candidates); of tables the slate's in the first, 1 behind it.
    Matrix<double> propensities;

    DecisionBatch(std::size_t n_users, std::size_t slate_size)
        : slates(n_users, slate_size), propensities(n_users, slate_size) {}
};

/// One step of B users. Borrowed for the call.
struct TransitionBatch {
    const ObservationBatch& before;
    const DecisionBatch& decisions;
    MatrixView<const simulate::Response> responses;  // [B, k]
    std::span<const double> rewards;
    std::span<const std::uint8_t> ended;
    std::span<const std::uint8_t> truncated;
    const ObservationBatch& after;  // of the same episode, also where it is over
};

enum class Mode : std::uint8_t {
    explore,  // while learning, and in logs
    exploit,  // the policy as it would be judged: its own randomness only where that is the policy
};

/// Curves of an agent while it learns ("loss", "epsilon", ...).
using MetricSink = std::function<void(std::string_view name, double value)>;

class Agent {
  public:
    Agent() = default;
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;
    Agent(Agent&&) = delete;
    Agent& operator=(Agent&&) = delete;
    virtual ~Agent() = default;

    virtual void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) = 0;

    /// The factors act() would have logged for these slates, [B, k]: for judging other logs.
    virtual void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) = 0;

    /// Learns from a step taken with Mode::explore. Default: an agent that does not learn.
    virtual void observe(const TransitionBatch& /*step*/, Rng& /*rng*/, const MetricSink& /*log*/) {
    }

    /// Agents whose workers act side by side bring their own loop: learns for about `steps` steps in
    /// clones of the world and returns the steps done; the others return nothing and are shown
    /// transitions.
    virtual std::optional<std::int64_t> learn_with_workers(
        const simulate::EnvironmentBatch& /*world*/,
        std::uint64_t /*seed*/,
        std::int64_t /*steps*/,
        const std::stop_token& /*stop*/
    ) {
        return std::nullopt;
    }

    /// Share of the step budget spent, before every step: for schedules.
    virtual void set_progress(double /*share*/) {}

    /// Everything act() needs; with `resume` also what learning needs to go on.
    enum class Save : std::uint8_t { policy, resume };

    virtual void save(SafetensorsWriter& /*weights*/, Save /*what*/) const {}

    virtual void load(const SafetensorsFile& /*weights*/, Save /*what*/) {}

    /// Before learning: takes over what another kind of agent has learned, by its name, its options
    /// with their values and its weights. False where there is no use for it.
    virtual bool begin_with(
        std::string_view /*agent*/,
        const nlohmann::json& /*options*/,
        const SafetensorsFile& /*weights*/
    ) {
        return false;
    }
};

/// Facts as a bit set: generic code (help, docs, refusals) reads them instead of agent names.
enum class AgentFact : std::uint32_t {
    none = 0,
    learns = 1U << 0U,          // has something to learn
    uses_network = 1U << 1U,    // takes encoder.*: state encoders, hidden sizes
    needs_item_ids = 1U << 2U,  // refuses worlds whose items do not outlive a step
    needs_one_slot = 1U << 3U,  // refuses slates of more than one item
    needs_signals = 1U << 4U,   // refuses worlds other than served:RUN
};

[[nodiscard]] constexpr AgentFact operator|(AgentFact a, AgentFact b) noexcept {
    return static_cast<AgentFact>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

[[nodiscard]] constexpr bool has(AgentFact facts, AgentFact wanted) noexcept {
    return (static_cast<std::uint32_t>(facts) & static_cast<std::uint32_t>(wanted)) != 0;
}

/// What an agent is made for.
struct AgentContext {
    const simulate::EnvironmentFacts& world;
    std::size_t session_size = 0;  // columns of ObservationBatch::sessions
    Rng rng;
    /// A text model that is loaded already, for agents of several networks.
    std::shared_ptr<encode::BertTrunk> trunk = nullptr;
};

struct AgentEntry {
    std::string_view name;
    std::string_view summary;
    AgentFact facts = AgentFact::none;
    DescribeOptions options;
    std::unique_ptr<Agent> (*make)(const AgentContext& context, const Settings& settings);
    /// Tokens of the session an agent with these settings reads; null = never any.
    std::size_t (*session_tokens)(const Settings& settings) = nullptr;
    /// Whether an agent with these settings reads nothing that counts the items, so that what it
    /// learned holds for another catalogue too; null = never.
    bool (*outlives_items)(const Settings& settings) = nullptr;
};

/// All agents, in the order of agents/builtin.def.
[[nodiscard]] std::span<const AgentEntry* const> agents();

/// Throws Error with the known names.
[[nodiscard]] const AgentEntry& find_agent(std::string_view name);

/// An agent for a world; throws Error{invalid_argument} in one sentence when they do not fit.
[[nodiscard]] std::unique_ptr<Agent> make_agent(
    const AgentEntry& entry, const AgentContext& context, const Settings& settings
);

/// What the batch shows now.
[[nodiscard]] ObservationBatch observe(
    const simulate::EnvironmentBatch& batch, MatrixView<const float> sessions
);

}  // namespace hg::policy
