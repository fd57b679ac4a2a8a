// SPDX-License-Identifier: Apache-2.0
#include "encode/tensor_io.hpp"
#include "policy/meta/amortised_learner_net.hpp"

#include <algorithm>

namespace hg::policy {

AmortisedLearner::Sums AmortisedLearner::sum(const EventTensors& events) const {
    return {
        .vectors = (encode(events) * events.mask.unsqueeze(-1)).sum(1),
        .counts = events.mask.sum(1, true),
    };
}

void AmortisedLearner::fit(std::span<const TaskEvents> tasks, MetaFit session) {
    scale_ = scale_of(outer_, tasks);
    at::manual_seed(session.rng.split("torch")());  // PEARL draws from its posterior
    run_outer_loop(
        outer_,
        tasks,
        {.weights = named_weights(),
         .scale = scale_,
         .update = descend(
             outer_,
             named_weights(),
             [this](const TaskBatch& batch) { return loss(sum(batch.support), batch.query); }
         ),
         .check =
             [this](const TaskBatch& batch) {
                 const at::NoGradGuard no_grad;
                 const auto answers = answer(sum(batch.support), batch.query.inputs);
                 return masked_mean_square(answers, batch.query).item<double>();
             }},
        session
    );
}

TaskBelief AmortisedLearner::start() const {
    return {
        .state = std::vector<float>(static_cast<std::size_t>(state_size())),
        .events = TaskEvents{n_inputs_},
    };
}

void AmortisedLearner::adapt(TaskBelief& belief, const EventsView& events) const {
    HG_CHECK(
        belief.state.size() == static_cast<std::size_t>(state_size()), "a belief of another learner"
    );
    if (events.size() == 0) {
        return;
    }
    const at::NoGradGuard no_grad;
    const auto sums = sum(to_tensors(events, scale_)).vectors.contiguous();
    const auto* added = sums.const_data_ptr<float>();
    std::ranges::transform(
        belief.state, std::span{added, belief.state.size()}, belief.state.begin(), std::plus{}
    );
    belief.n_events += events.size();
}

void AmortisedLearner::predict(
    const TaskBelief& belief, const QueriesView& queries, std::span<float> out
) const {
    HG_CHECK(out.size() == queries.size(), "a place per query");
    if (queries.size() == 0) {
        return;
    }
    const at::NoGradGuard no_grad;
    const Sums sums{
        .vectors = encode::to_tensor({belief.state.data(), 1, belief.state.size()}),
        .counts = at::full({1, 1}, static_cast<double>(belief.n_events)),
    };
    const auto inputs = encode::to_tensor(queries.inputs).unsqueeze(0);
    write_answers(answer(sums, inputs), queries, scale_, out);
}

void AmortisedLearner::save(SafetensorsWriter& weights) const {
    save_network(named_weights(), scale_, weights);
}

void AmortisedLearner::load(const SafetensorsFile& weights) {
    scale_ = load_network(weights, named_weights());
}

}  // namespace hg::policy
