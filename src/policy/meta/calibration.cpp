// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/calibration.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace hg::policy {
namespace {

constexpr std::array<std::size_t, 4> support_sizes{1, 5, 10, 20};

TaskEvents pick(const TaskEvents& task, std::span<const std::size_t> rows) {
    TaskEvents picked{task.n_inputs()};
    const auto events = task.view();
    for (const auto row : rows) {
        picked.add(events.inputs.row(row), events.offsets[row], events.targets[row]);
    }
    return picked;
}

}  // namespace

std::vector<HeldOutEpisode> first_event_episodes(std::span<const TaskEvents> tasks) {
    std::vector<HeldOutEpisode> episodes;
    Rng unused{0};  // order of queries only
    for (const auto& task : tasks) {
        for (const auto size : support_sizes) {
            const auto episode = draw_episode(
                task,
                {.n_support = size,
                 .max_query = std::numeric_limits<std::size_t>::max(),
                 .is_first = true},
                unused
            );
            if (episode.support.size() == size && !episode.query.empty()) {
                episodes.push_back({pick(task, episode.support), pick(task, episode.query)});
            }
        }
    }
    return episodes;
}

double mean_square_error(
    std::span<const HeldOutEpisode> episodes,
    const std::function<
        void(const EventsView& support, const QueriesView& query, std::span<float>)>& predict
) {
    double sum = 0;
    std::vector<float> answers;
    for (const auto& episode : episodes) {
        answers.resize(episode.query.size());
        predict(episode.support.view(), episode.query.queries(), answers);
        const auto targets = episode.query.view().targets;
        double squares = 0;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            const double error = answers[i] - targets[i];
            squares += error * error;
        }
        sum += squares / static_cast<double>(answers.size());
    }
    return episodes.empty() ? 0 : sum / static_cast<double>(episodes.size());
}

}  // namespace hg::policy
