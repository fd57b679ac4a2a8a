// SPDX-License-Identifier: Apache-2.0
// EncoderEntry: a content model as a row of the registry: its name, options, how to fit and load
// it.
//
// To add an encoder: copy encoders/fields.cpp, end it with `extern const EncoderEntry name{...}`,
// add HG_ENCODER(name) to encoders/builtin.def. The contract tests then test it.
//
//   const auto model = find_encoder("fields").fit(context, settings);
//   model->save("DATASET/vectors/fields");
//   const auto same = load_encoder("DATASET/vectors/fields");   // for an item that arrives later
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "data/catalogue.hpp"
#include "encode/content_model.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>

namespace hg::encode {

/// What an encoder may use to learn its vocabulary and directions. References outlive the call.
struct EncodeContext {
    const data::Catalogue& items;
    Rng rng;
    ProgressSink& progress;
    std::stop_token stop{};
    std::filesystem::path cache{};  // where costly vectors are kept by content; empty = nowhere
};

struct EncoderEntry {
    std::string_view name;
    std::string_view summary;
    DescribeOptions options;
    std::unique_ptr<ContentModel> (*fit)(const EncodeContext& context, const Settings& settings);
    /// From what save() wrote. Throws Error.
    std::unique_ptr<ContentModel> (*load)(const std::filesystem::path& folder);
};

/// All encoders, in the order of encoders/builtin.def.
[[nodiscard]] std::span<const EncoderEntry* const> encoders();

/// Throws Error with the known names.
[[nodiscard]] const EncoderEntry& find_encoder(std::string_view name);

/// The encoder whose save() wrote this folder. Throws Error: what is missing or damaged.
[[nodiscard]] std::unique_ptr<ContentModel> load_encoder(const std::filesystem::path& folder);

}  // namespace hg::encode
