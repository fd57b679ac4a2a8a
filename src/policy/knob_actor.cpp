// SPDX-License-Identifier: Apache-2.0
#include "policy/knob_actor.hpp"

#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/run_files.hpp"
#include "core/safetensors.hpp"
#include "core/sealed_json.hpp"
#include "core/version_name.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace hg::policy {
namespace {

constexpr const char* how_to_learn =
    "learn one: honeyguide learn --agent meta_policy --set head=knobs --world served:RUN "
    "--set world.data=DIR --out runs/meta";

nlohmann::json manifest_of(const std::filesystem::path& run) {
    const auto path = run / "manifest.json";
    auto manifest = nlohmann::json::parse(value_or_throw(read_file(path)), nullptr, false);
    if (!manifest.is_object() || manifest.value("kind", "") != "agent") {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{} is no run of learn: it holds no policy", run.string()),
            how_to_learn
        };
    }
    if (has_broken_seal(manifest)) {
        throw_damaged_run(path, "its content differs from its seal");
    }
    return manifest;
}

/// The actor chooses knobs, from the summary this program makes.
void check_shape(const nlohmann::json& manifest, const std::filesystem::path& run) {
    const auto head = manifest.value("settings", nlohmann::json::object()).value("head", "");
    if (head != "knobs") {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is {} with head={}: it scores the items of its world; a server takes one that "
                "chooses knobs (head=knobs)",
                run.string(),
                manifest.value("agent", "an agent"),
                head.empty() ? "none" : head
            ),
            how_to_learn
        };
    }
    if (const auto agent = manifest.value("agent", ""); agent == "knob_dqn") {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is {}: it chooses from a menu; a server takes knobs of meta_policy",
                run.string(),
                agent
            ),
            how_to_learn
        };
    }
    const auto belief =
        manifest.value("world", nlohmann::json::object()).value("belief", nlohmann::json::object());
    const auto found = belief.value("summary", std::vector<std::string>{});
    if (!std::ranges::equal(found, BeliefSummary::names)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} was learned on another belief: it saw ({}), the server gives ({})",
                run.string(),
                fmt::join(found, ", "),
                fmt::join(BeliefSummary::names, ", ")
            ),
            how_to_learn
        };
    }
}

std::vector<float> copy(std::span<const float> values) {
    return {values.begin(), values.end()};
}

Matrix<float> copy(MatrixView<const float> values) {
    Matrix<float> own(values.rows(), values.cols());
    for (std::size_t r = 0; r < values.rows(); ++r) {
        std::ranges::copy(values.row(r), own.row(r).begin());
    }
    return own;
}

bool fit_together(const KnobActor::Layers& layers) {
    const auto width = layers.hidden.rows();
    return layers.hidden.cols() == BeliefSummary::names.size() &&
           layers.hidden_bias.size() == width && layers.out.cols() == width &&
           (layers.out.rows() == n_signals || layers.out.rows() == n_signals + 1) &&
           layers.out_bias.size() == layers.out.rows();
}

std::vector<float> layer(
    const Matrix<float>& weights, std::span<const float> bias, std::span<const float> in
) {
    std::vector<float> out(weights.rows());
    for (std::size_t r = 0; r < out.size(); ++r) {
        float sum = bias[r];
        const auto row = weights.row(r);
        for (std::size_t c = 0; c < in.size(); ++c) {
            sum += row[c] * in[c];
        }
        out[r] = std::tanh(sum);
    }
    return out;
}

}  // namespace

KnobActor::KnobActor(Layers layers, std::string version, std::string_view agent)
    : layers_(std::move(layers)),
      version_(std::move(version)),
      name_(fmt::format("{} {}", agent, version_)) {
    HG_CHECK(fit_together(layers_), "the layers follow each other");
}

std::shared_ptr<const KnobActor> KnobActor::load(const std::filesystem::path& run) {
    const auto manifest = manifest_of(run);
    check_shape(manifest, run);
    const auto path = run / "weights.safetensors";
    const auto file = open_run_file(run, manifest, "weights.safetensors");
    Layers layers{
        .hidden = copy(value_or_throw(file.matrix<float>("net.knob_hidden.weight"))),
        .hidden_bias = copy(value_or_throw(file.values<float>("net.knob_hidden.bias"))),
        .out = copy(value_or_throw(file.matrix<float>("net.knob_out.weight"))),
        .out_bias = copy(value_or_throw(file.values<float>("net.knob_out.bias"))),
    };
    if (!fit_together(layers)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: an actor of {} numbers and {} knobs, expected {} and {} or {}",
                path.string(),
                layers.hidden.cols(),
                layers.out.rows(),
                BeliefSummary::names.size(),
                n_signals,
                n_signals + 1
            ),
            how_to_learn
        };
    }
    return std::make_shared<const KnobActor>(
        std::move(layers), actor_version(run), manifest.value("agent", "meta_policy")
    );
}

Knobs KnobActor::choose(const KnobState& state) const {
    if (!state.summary) {
        return {};
    }
    const auto hidden = layer(layers_.hidden, layers_.hidden_bias, state.summary->values);
    const auto out = layer(layers_.out, layers_.out_bias, hidden);
    // Three digits: the text in the log stays short and says exactly what was in force.
    constexpr double thousand = 1000;
    const auto rounded = [](double knob) { return std::round(knob * thousand) / thousand; };
    const auto knob = [&](std::size_t i) {
        return rounded(most_chosen * static_cast<double>(out[i]));
    };
    Knobs knobs{.exploration = knob(0), .novelty = knob(1), .content = knob(2)};
    if (out.size() > n_signals) {
        knobs.diversity = rounded(most_chosen * (1 + static_cast<double>(out[n_signals])) / 2);
    }
    return knobs;
}

std::string actor_version(const std::filesystem::path& run) {
    return version_name(run, digest_hex(value_or_throw(read_file(run / "weights.safetensors"))));
}

}  // namespace hg::policy
