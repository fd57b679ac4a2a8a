// SPDX-License-Identifier: Apache-2.0
// report_html: evaluations as one HTML file: tables, few-shot curve, user segments, popularity
// against accuracy.
//
// Self-contained: no script, no link, no font; plots are inline SVG (chart.hpp). Opens from a disk,
// an e-mail or a server, in light and dark, and prints.
//
//   write_file_atomic("report.html", report_html(describe_dataset(dataset), evaluations));
#pragma once

#include "app/dataset_facts.hpp"
#include "app/evaluation.hpp"

#include <span>
#include <string>

namespace hg::app {

[[nodiscard]] std::string report_html(
    const DatasetFacts& facts, std::span<const Evaluation> evaluations
);

}  // namespace hg::app
