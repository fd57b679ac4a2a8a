// SPDX-License-Identifier: Apache-2.0
// protocol_support: a run around any model, and its lists under a protocol.
#pragma once

#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "core/progress.hpp"
#include "train/recommender.hpp"
#include "train/run.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace hg::app::testing_support {

/// Gives items of the history the highest scores: what a protocol must mask.
class Parrot final : public train::Recommender {
  public:
    explicit Parrot(std::size_t n_items) : n_items_(n_items) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::fill(out.row(row), 0.0F);
            for (const auto item : histories[row].items) {
                out(row, item.index()) = 1.0F;
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return n_items_; }

    void save(SafetensorsWriter& /*weights*/) const override {}

  private:
    std::size_t n_items_;
};

inline train::LoadedRun run_of(
    const data::Dataset& dataset, std::shared_ptr<const train::Recommender> model
) {
    train::LoadedRun run;
    run.name = "run";
    run.manifest = {{"dataset", {{"hash", dataset.hash}}}};
    for (const auto& name : dataset.items.names()) {
        run.items.intern(name);
    }
    run.model = std::move(model);
    return run;
}

inline std::vector<Outcome> score(
    const data::Dataset& dataset,
    const Protocol& protocol,
    const train::LoadedRun& run,
    std::size_t k = 10
) {
    SilentProgress silent;
    const std::vector<Contender> contenders{{.name = "run", .settings = {}, .run = &run}};
    return run_protocol(dataset, protocol, contenders, {.k = k}, {silent, {}});
}

}  // namespace hg::app::testing_support
