// SPDX-License-Identifier: Apache-2.0
#include "app/kept_fits.hpp"

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/safetensors.hpp"
#include "train/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view weights_name = "weights.safetensors";
constexpr const char* seconds_key = "seconds";

std::string key_of(
    const train::ModelEntry& entry,
    const train::FitContext& context,
    const nlohmann::json& settings,
    std::uint64_t seed
) {
    Digest digest;
    digest.update(fmt::format("{} {} {}", entry.name, settings.dump(), seed));
    const auto& columns = context.log.columns();
    digest.update(std::as_bytes(std::span{columns.user_offsets}));
    digest.update(std::as_bytes(std::span{columns.items}));
    digest.update(std::as_bytes(std::span{columns.weights}));
    digest.update(std::as_bytes(std::span{columns.times}));
    for (const auto& name : context.dataset.items.names()) {
        digest.update(name);
    }
    if (context.content != nullptr) {
        digest.update(context.content->encoder);
        digest.update(std::as_bytes(std::span{context.content->vectors.values()}));
    }
    constexpr std::size_t short_key = 12;
    return digest.hex().substr(0, short_key);
}

/// A label is no path.
std::string file_name(std::string_view label) {
    std::string name{label};
    std::ranges::replace_if(
        name,
        [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-';
        },
        '_'
    );
    return name;
}

double seconds_of(const SafetensorsFile& weights) {
    double seconds = 0;
    const auto found = weights.metadata().find(seconds_key);
    if (found != weights.metadata().end()) {
        const auto& text = found->second;
        (void)std::from_chars(text.data(), text.data() + text.size(), seconds);
    }
    return seconds;
}

}  // namespace

std::unique_ptr<train::Recommender> fit_kept(
    const train::ModelEntry& entry,
    train::FitContext context,
    const Settings& settings,
    const FitPlace& place,
    double& seconds
) {
    const Stopwatch watch;
    if (place.folder.empty() || !has(entry.facts, train::Fact::uses_gradient)) {
        auto model = entry.fit(context, settings);
        seconds += watch.seconds();
        return model;
    }
    const auto resolved = train::resolve_settings(entry, settings);
    const auto folder =
        place.folder /
        fmt::format("{}-{}", file_name(place.name), key_of(entry, context, resolved, place.seed));
    const auto path = folder / weights_name;
    if (fs::exists(path)) {
        const auto weights = value_or_throw(SafetensorsFile::open(path));
        seconds += seconds_of(weights);
        return entry.load(weights, Settings::from_json(resolved, path.string()));
    }
    train::RunWriter run{folder};
    context.run = &run;
    auto model = entry.fit(context, settings);
    SafetensorsWriter weights;
    model->save(weights);
    weights.add_metadata(seconds_key, fmt::format("{:.3f}", watch.seconds()));
    weights.save(path);
    std::error_code ignored;
    fs::remove(run.checkpoint_path(), ignored);
    seconds += watch.seconds();
    return model;
}

}  // namespace hg::app
