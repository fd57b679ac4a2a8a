// SPDX-License-Identifier: Apache-2.0
// ServedWorld: a served run as a world: real users of a dataset arrive without a history, the server's
// own code (scoring.hpp, signals.hpp, user_belief.hpp) makes the candidates of each slate, and a click
// is an item the user did like in the data (missing = no, as in simulate/learned/label_world.hpp). So
// an actor learns to choose the knobs of the very system that it will serve.
//
// An item shows what the knobs weigh (policy/served_items.hpp): its score and its three signals, standardised over
// the candidates as policy::apply() does, and, of slates of several, its direction. The reward is the clicks and,
// where `diversity` says what that is worth, the mean cosine distance of the slate. The user shows the summary of the belief. Items shown are gone;
// what was passed by is no event unless skips=events, as clients may or may not send it. The run
// should not have been trained on these users: `data` may be another dataset of the same items.
//
//   const auto world = open_served_world("runs/blend", {.data = "movies"}, progress, stop);
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"
#include "simulate/environment.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace hg::serve {

struct ServedWorldOptions {
    std::string data;
    std::string users = "learn";
    std::string skips = "silent";
    std::string context = "own";
    std::string ranking = "mean";
    std::int64_t candidates = 200;
    std::int64_t slate_size = 1;
    std::int64_t step_limit = 20;
    double diversity = 0;
    std::int64_t min_liked = 10;
    double judged_share = 0.3;
    std::int64_t split_seed = 7;

    static void describe(OptionBinder& bind, ServedWorldOptions& o);
};

/// Throws Error: the run has no belief, or too few users or items are left.
[[nodiscard]] std::unique_ptr<simulate::Environment> open_served_world(
    const std::filesystem::path& run,
    const ServedWorldOptions& options,
    ProgressSink& progress,
    const std::stop_token& stop
);

}  // namespace hg::serve
