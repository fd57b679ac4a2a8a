// SPDX-License-Identifier: Apache-2.0
// fidelity_report: how far a learned world may be trusted, as text and as one HTML file with plots.
//
//   write_file_atomic("world.html", fidelity_html(fidelity, "runs/world"));
#pragma once

#include "simulate/learned/fidelity.hpp"

#include <optional>
#include <string>

namespace hg::app {

/// "0.1234", or "not available".
[[nodiscard]] std::string number(std::optional<double> value, int digits = 4);

[[nodiscard]] std::string fidelity_text(const simulate::Fidelity& fidelity);

/// Self-contained, as report.hpp.
[[nodiscard]] std::string fidelity_html(
    const simulate::Fidelity& fidelity, const std::string& world
);

}  // namespace hg::app
