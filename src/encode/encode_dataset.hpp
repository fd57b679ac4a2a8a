// SPDX-License-Identifier: Apache-2.0
// encode_dataset: what the verb `encode` does: a dataset's items into DATASET/vectors/ENCODER.
//
//   const auto made = encode_dataset({.folder = "movies", .encoder = "text"}, progress, stop);
#pragma once

#include "core/matrix.hpp"
#include "core/options.hpp"
#include "core/progress.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

namespace hg::encode {

struct EncodeRequest {
    std::filesystem::path folder;
    std::string encoder = "text";
    Settings settings{};
    std::uint64_t seed = 7;
};

struct EncodeSummary {
    std::filesystem::path folder{};  // where the vectors are
    std::size_t n_items = 0;
    std::size_t n_present = 0;  // items that had content
    std::size_t dim = 0;
    double seconds = 0;
};

/// Throws Error; on a stop request the cache stays and Error{interrupted} is thrown.
[[nodiscard]] EncodeSummary encode_dataset(
    const EncodeRequest& request, ProgressSink& progress, std::stop_token stop
);

/// Texts that belong to no dataset, [texts.size(), d]; settings are those of the encoder "text".
[[nodiscard]] Matrix<float> encode_texts(
    std::span<const std::string> texts,
    const Settings& settings,
    ProgressSink& progress,
    const std::stop_token& stop
);

}  // namespace hg::encode
