// SPDX-License-Identifier: Apache-2.0
#include "serve/admission.hpp"

#include "core/folder_name.hpp"
#include "core/log.hpp"
#include "policy/knob_actor.hpp"
#include "serve/promotion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace hg::serve {
namespace {

bool is_same_folder(const std::filesystem::path& a, const std::filesystem::path& b) {
    std::error_code ignored;
    return std::filesystem::equivalent(a, b, ignored);
}

[[noreturn]] void refuse_without_belief(
    const policy::KnobPolicy& actor, const train::LoadedRun& run
) {
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "{} chooses knobs from a belief, and {} is a run of {}, which has none",
            actor.name(),
            run.name,
            run.manifest.value("model", "another kind")
        ),
        "serve a run of gaussian, or of a blend with gaussian in it; or leave --policy out",
    };
}

}  // namespace

Admission::Admission(const ServeOptions& options) : options_(options) {
    if (!options_.knob_policy.empty()) {
        actor_ = policy::KnobActor::load(options_.knob_policy);
    }
    for (auto fallback = options_.fallbacks.begin(); fallback != options_.fallbacks.end();
         ++fallback) {
        const auto is_it = [&](const auto& other) { return is_same_folder(other, *fallback); };
        if (is_it(options_.run) || std::any_of(options_.fallbacks.begin(), fallback, is_it)) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("--fallback {} is the run itself, or named twice", fallback->string()),
                "name another run, one of popularity for example, or leave --fallback out",
            };
        }
        (void)train::run_version(*fallback);  // now rather than on the day it is needed
    }
}

std::filesystem::path Admission::first() const {
    auto asked_for = options_.run;
    for (const auto& fallback : options_.fallbacks) {
        const auto why = why_run_is_held(asked_for, train::run_version(asked_for));
        if (!why) {
            break;
        }
        log::warn(
            "A FALLBACK SERVES",
            {{"run", asked_for.string()},
             {"why", *why},
             {"instead", fallback.string()},
             {"next", "honeyguide gate --candidate RUN, then reload it"}}
        );
        asked_for = fallback;
    }
    return asked_for;
}

Admitted Admission::admit(
    const std::filesystem::path& folder, const train::LoadedRun& run, bool is_led
) const {
    const bool needs_gate =
        !options_.fallbacks.empty() && !is_same_folder(folder, options_.fallbacks.back());
    if (const auto why = needs_gate ? why_run_is_held(folder, run.version) : std::nullopt) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{} may not serve: {}", run.name, *why),
            "judge it (honeyguide gate --candidate RUN), or start without --fallback"
        };
    }
    if (!is_one_of_fallbacks(folder)) {
        return choose_knobs(run, is_led, false);
    }
    auto admitted = choose_knobs(run, is_led, true);
    const auto why = why_run_is_held(options_.run, train::run_version(options_.run));
    admitted.run_note = why ? fmt::format("{} is held: {}", folder_name(options_.run), *why)
                            : "it was asked for, as a fallback";
    return admitted;
}

bool Admission::is_one_of_fallbacks(const std::filesystem::path& folder) const {
    return std::ranges::any_of(options_.fallbacks, [&](const auto& fallback) {
        return is_same_folder(folder, fallback);
    });
}

std::optional<std::string> Admission::why_run_is_held(
    const std::filesystem::path& folder, const std::string& version
) const {
    return why_held(folder, {.version = version, .run = version, .options = options_.policy});
}

Admitted Admission::constants(std::string note) const {
    return {
        .knobs = std::make_shared<policy::ConstantKnobs>(options_.knobs),
        .knobs_note = std::move(note),
    };
}

Admitted Admission::choose_knobs(const train::LoadedRun& run, bool is_led, bool is_fallback) const {
    if (actor_ == nullptr) {
        return constants({});
    }
    const bool has_belief = run.model->belief_prior() != nullptr;
    const auto why = why_held(
        options_.knob_policy,
        {.version = std::string{actor_->version()}, .run = run.version, .options = options_.policy}
    );
    const bool is_wanted = !why || options_.unjudged == UnjudgedPolicy::serves;
    if (is_wanted && !has_belief && !is_fallback) {
        refuse_without_belief(*actor_, run);
    }
    if (is_wanted && has_belief) {
        if (why) {
            log::warn(
                "SERVING A POLICY THAT WAS NOT PROMOTED",
                {{"policy", actor_->name()}, {"why", *why}}
            );
        }
        return {.knobs = actor_, .knobs_note = why ? "serves although " + *why : ""};
    }
    if (is_led && !is_fallback) {
        throw Error{
            ErrorCode::conflict,
            fmt::format("{} may not choose the knobs of this run: {}", actor_->name(), *why),
            "judge it with this run (honeyguide gate --knobs-by), or serve without --policy"
        };
    }
    const auto reason = is_wanted ? fmt::format("{} has no belief", run.name) : *why;
    log::warn(
        "THE LEARNED POLICY DOES NOT SERVE",
        {{"policy", actor_->name()},
         {"why", reason},
         {"instead", policy::to_text(options_.knobs)},
         {"next", "honeyguide gate --knobs-by, or --policy-without-gate"}}
    );
    return constants(fmt::format("{} is held: {}", actor_->name(), reason));
}

}  // namespace hg::serve
