// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/task.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace hg::policy {

void TaskEvents::add(std::span<const float> inputs, float offset, float target, Use use) {
    HG_CHECK(inputs.size() == n_inputs_, "an event has as many inputs as its task");
    inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
    offsets_.push_back(offset);
    targets_.push_back(target);
    uses_.push_back(use);
}

void TaskEvents::add_all(const EventsView& events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        add(events.inputs.row(i), events.offsets[i], events.targets[i]);
    }
}

EventsView TaskEvents::view() const {
    return {
        .inputs = {inputs_.data(), size(), n_inputs_},
        .offsets = offsets_,
        .targets = targets_,
    };
}

Episode draw_episode(const TaskEvents& task, const EpisodeOptions& options, Rng& rng) {
    std::vector<std::size_t> open;
    Episode episode;
    for (std::size_t i = 0; i < task.size(); ++i) {
        (task.use(i) == TaskEvents::Use::any ? open : episode.query).push_back(i);
    }
    if (!options.is_first) {
        rng.shuffle(std::span{open});
    }
    const auto spare = episode.query.empty() ? std::size_t{1} : std::size_t{0};
    const auto most = open.size() - std::min(open.size(), spare);
    const auto cut = static_cast<std::ptrdiff_t>(std::min(options.n_support, most));
    episode.support.assign(open.begin(), open.begin() + cut);
    episode.query.insert(episode.query.end(), open.begin() + cut, open.end());
    rng.shuffle(std::span{episode.query});
    episode.query.resize(std::min(episode.query.size(), options.max_query));
    return episode;
}

}  // namespace hg::policy
