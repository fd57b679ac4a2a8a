// SPDX-License-Identifier: Apache-2.0
// run_demo: the main job on MovieLens 100k, from a raw log to a model that is ready to serve.
//
// Seven headings, the loop of the product: data input, preprocessing, feature extraction, policy
// optimisation, evaluation and feedback, model update, iterate. Each stage leaves files a person
// can inspect and is skipped when they are there, so a second start takes seconds. The verb `demo`
// serves the result.
//
//   const DemoResult result = run_demo({}, session);
#pragma once

#include "app/command.hpp"

#include <filesystem>

namespace hg::app {

struct DemoOptions {
    std::filesystem::path source = ".cache/data/ml-100k";
    std::filesystem::path folder = "runs/demo";  // dataset, runs, tables and the event store
};

struct DemoResult {
    std::filesystem::path dataset;
    std::filesystem::path run;
    std::filesystem::path store;
};

/// Prints to stdout. Throws Error; interrupted work resumes at the next call.
[[nodiscard]] DemoResult run_demo(const DemoOptions& options, Session& session);

}  // namespace hg::app
