// SPDX-License-Identifier: Apache-2.0
#include "policy/agent_net.hpp"
#include "policy/belief_knob_net.hpp"
#include "policy/knob_head_net.hpp"
#include "policy/searched_knobs_net.hpp"

#include <nlohmann/json.hpp>

namespace hg::policy {
namespace {

class OfBelief final : public SearchedKnobs {
  public:
    OfBelief(const AgentContext& context, std::int64_t hidden)
        : net_(std::make_shared<BeliefKnobNet>(context, hidden)) {}

    [[nodiscard]] at::Tensor scores(const NetInput& in) override {
        const auto looked = net_->look(in);
        return BeliefKnobNet::scores(looked, net_->knobs(net_->hidden(looked.summary)));
    }

    [[nodiscard]] torch::nn::Linear last_layer() override { return net_->knob_out; }

    [[nodiscard]] train::Adam::NamedTensors named() const override { return named_of(*net_); }

    [[nodiscard]] train::Adam::NamedTensors taught() const override {
        return named_of(*net_, "belief");
    }

    [[nodiscard]] at::Tensor lesson(const at::Tensor& sessions) const override {
        return net_->next_answer_loss(sessions);
    }

    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    ) override {
        return net_->begin_with(agent, options, weights);
    }

  private:
    std::shared_ptr<BeliefKnobNet> net_;
};

class OfServer final : public SearchedKnobs {
  public:
    OfServer(const AgentContext& context, std::int64_t hidden) : head_(context.world, hidden) {
        module_.register_module("knob_hidden", head_.hidden);
        module_.register_module("knob_out", head_.out);
    }

    [[nodiscard]] at::Tensor scores(const NetInput& in) override { return head_.scores(in); }

    [[nodiscard]] torch::nn::Linear last_layer() override { return head_.out; }

    [[nodiscard]] train::Adam::NamedTensors named() const override { return named_of(module_); }

  private:
    KnobHead head_;
    torch::nn::Module module_;
};

}  // namespace

std::unique_ptr<SearchedKnobs> make_searched_knobs(
    const AgentContext& context, std::string_view head, std::int64_t hidden
) {
    if (head == "knobs") {
        return std::make_unique<OfServer>(context, hidden);
    }
    return std::make_unique<OfBelief>(context, hidden);
}

}  // namespace hg::policy
