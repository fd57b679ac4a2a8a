// SPDX-License-Identifier: Apache-2.0
// VectorCache: vectors by the content they were made from, so that only new texts are encoded
// again.
//
// A folder of parts, each a safetensors file of 16-byte keys (BLAKE2b of model hash and text) and
// rows. New vectors go to a new part, so saving costs what is new; compact() joins the parts and
// drops other models'. A damaged part is ignored with a warning: it only costs time. Single writer,
// not thread-safe. Layout: docs/formats/vectors.md.
//
//   VectorCache cache{folder, model_hash, dim};
//   if (const auto row = cache.find(text)) ... else { cache.add(text, vector); }
//   cache.save();
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::encode {

class VectorCache {
  public:
    /// An empty folder name keeps nothing on disk.
    VectorCache(std::filesystem::path folder, std::string model_hash, std::size_t dim);

    /// Borrowed until the next add().
    [[nodiscard]] std::optional<std::span<const float>> find(std::string_view text) const;
    void add(std::string_view text, std::span<const float> vector);

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

    /// Writes what was added since the last save(); nothing when nothing was. Throws Error.
    void save();
    /// Everything into one part once there are many of them.
    void compact();

  private:
    using Key = std::array<std::uint8_t, 16>;

    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            std::size_t value = 0;
            std::memcpy(&value, key.data(), sizeof value);  // a digest is uniform already
            return value;
        }
    };

    [[nodiscard]] Key key_of(std::string_view text) const;
    void load_part(const std::filesystem::path& path);
    void write_part(std::size_t first);

    std::filesystem::path folder_;
    std::string model_hash_;
    std::size_t dim_;
    std::unordered_map<Key, std::size_t, KeyHash> rows_;
    std::vector<Key> keys_;       // [n_rows]
    std::vector<float> vectors_;  // [n_rows, dim]
    std::size_t n_saved_ = 0;
    std::vector<std::filesystem::path> parts_;    // of this model, oldest first
    std::vector<std::filesystem::path> foreign_;  // of other models, or damaged
    std::size_t next_part_ = 0;
};

}  // namespace hg::encode
