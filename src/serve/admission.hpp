// SPDX-License-Identifier: Apache-2.0
// Admission: which run serves, and who chooses its knobs, decided anew each time one is published.
//
//   const Admission admission{options};
//   auto first = admission.first();                      // the run that was asked for, or a fallback
//   auto admitted = admission.admit(folder, run, is_led);  // throws Error where that run may not serve
#pragma once

#include "serve/serve.hpp"
#include "serve/snapshot.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace hg::serve {

class Admission {
  public:
    /// Throws Error: the policy is no actor, or a fallback no run of its own. `options` outlives it.
    explicit Admission(const ServeOptions& options);

    /// What to begin with: the first of options.run and the fallbacks that a gate has promoted, or the last of them.
    [[nodiscard]] std::filesystem::path first() const;

    /// `is_led`: a learned policy chooses the knobs now; another run that it was not promoted for is refused then.
    /// Throws Error: conflict where a gate is missing, invalid_argument where the policy cannot lead that run.
    [[nodiscard]] Admitted admit(
        const std::filesystem::path& folder, const train::LoadedRun& run, bool is_led
    ) const;

  private:
    [[nodiscard]] bool is_one_of_fallbacks(const std::filesystem::path& folder) const;
    [[nodiscard]] std::optional<std::string> why_run_is_held(
        const std::filesystem::path& folder, const std::string& version
    ) const;
    [[nodiscard]] Admitted constants(std::string note) const;
    [[nodiscard]] Admitted choose_knobs(const train::LoadedRun& run, bool is_led, bool is_fallback)
        const;

    const ServeOptions& options_;
    std::shared_ptr<const policy::KnobPolicy> actor_;  // null: none was asked for
};

}  // namespace hg::serve
