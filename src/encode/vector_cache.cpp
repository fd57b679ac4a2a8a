// SPDX-License-Identifier: Apache-2.0
#include "encode/vector_cache.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace hg::encode {
namespace {

constexpr std::size_t many_parts = 8;
constexpr auto digest_key = "blake2b";
constexpr std::string_view part_prefix = "part-";

bool is_part(const std::filesystem::path& path) {
    return path.extension() == ".safetensors" && path.filename().string().starts_with(part_prefix);
}

std::string digest_of(MatrixView<const std::uint8_t> keys, MatrixView<const float> vectors) {
    Digest digest;
    digest.update(std::as_bytes(std::span{keys.data(), keys.rows() * keys.cols()}));
    digest.update(std::as_bytes(std::span{vectors.data(), vectors.rows() * vectors.cols()}));
    return digest.hex();
}

std::size_t part_number(const std::filesystem::path& path) {
    const auto name = path.stem().string().substr(part_prefix.size());
    std::size_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

}  // namespace

VectorCache::VectorCache(std::filesystem::path folder, std::string model_hash, std::size_t dim)
    : folder_(std::move(folder)), model_hash_(std::move(model_hash)), dim_(dim) {
    std::error_code error;
    if (folder_.empty() || !std::filesystem::is_directory(folder_, error)) {
        return;
    }
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
        if (is_part(entry.path())) {
            found.push_back(entry.path());
        }
    }
    std::ranges::sort(found);
    for (const auto& path : found) {
        next_part_ = std::max(next_part_, part_number(path) + 1);
        load_part(path);
    }
    n_saved_ = keys_.size();
}

void VectorCache::load_part(const std::filesystem::path& path) {
    const auto damaged = [&](std::string_view why) {
        log::warn(
            "a part of the vector cache is damaged and ignored",
            {{"file", path.string()}, {"why", why}, {"next", "nothing: its texts are encoded again"}
            }
        );
        foreign_.push_back(path);
    };
    const auto file = SafetensorsFile::open(path);
    if (!file) {
        return damaged(file.error().message());
    }
    const auto model = file->metadata().find("model");
    if (model == file->metadata().end() || model->second != model_hash_) {
        foreign_.push_back(path);
        return;
    }
    const auto keys = file->matrix<std::uint8_t>("keys");
    const auto vectors = file->matrix<float>("vectors");
    if (!keys || !vectors || keys->cols() != Key{}.size() || vectors->cols() != dim_ ||
        keys->rows() != vectors->rows()) {
        return damaged("keys and vectors do not fit");
    }
    if (const auto digest = file->metadata().find(digest_key);
        digest != file->metadata().end() && digest->second != digest_of(*keys, *vectors)) {
        return damaged("the content differs from its digest");
    }
    parts_.push_back(path);
    for (std::size_t row = 0; row < keys->rows(); ++row) {
        Key key{};
        std::ranges::copy(keys->row(row), key.begin());
        if (!rows_.emplace(key, keys_.size()).second) {
            continue;
        }
        keys_.push_back(key);
        const auto vector = vectors->row(row);
        vectors_.insert(vectors_.end(), vector.begin(), vector.end());
    }
}

VectorCache::Key VectorCache::key_of(std::string_view text) const {
    Digest digest;
    digest.update(std::string_view{model_hash_});
    digest.update(text);
    const auto hex = digest.hex();
    Key key{};
    constexpr int base = 16;
    for (std::size_t i = 0; i < key.size(); ++i) {
        std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, key[i], base);
    }
    return key;
}

std::optional<std::span<const float>> VectorCache::find(std::string_view text) const {
    const auto found = rows_.find(key_of(text));
    if (found == rows_.end()) {
        return {};
    }
    return std::span{vectors_}.subspan(found->second * dim_, dim_);
}

void VectorCache::add(std::string_view text, std::span<const float> vector) {
    HG_CHECK(vector.size() == dim_, "a vector of another width");
    const auto key = key_of(text);
    if (!rows_.emplace(key, keys_.size()).second) {
        return;
    }
    keys_.push_back(key);
    vectors_.insert(vectors_.end(), vector.begin(), vector.end());
}

void VectorCache::write_part(std::size_t first) {
    const auto n = keys_.size() - first;
    SafetensorsWriter writer;
    writer.add_metadata("format_version", "1");
    writer.add_metadata("model", model_hash_);
    const MatrixView<const std::uint8_t> keys{keys_[first].data(), n, Key{}.size()};
    const MatrixView<const float> vectors{vectors_.data() + first * dim_, n, dim_};
    writer.add_metadata(digest_key, digest_of(keys, vectors));
    writer.add<std::uint8_t>("keys", keys);
    writer.add<float>("vectors", vectors);
    const auto path = folder_ / fmt::format("{}{:06}.safetensors", part_prefix, next_part_);
    writer.save(path);
    ++next_part_;
    parts_.push_back(path);
}

void VectorCache::save() {
    if (folder_.empty() || n_saved_ == keys_.size()) {
        return;
    }
    write_part(n_saved_);
    n_saved_ = keys_.size();
}

void VectorCache::compact() {
    save();
    if (parts_.size() + foreign_.size() < many_parts || keys_.empty()) {
        return;
    }
    auto old = std::exchange(parts_, {});
    old.insert(old.end(), foreign_.begin(), foreign_.end());
    foreign_.clear();
    write_part(0);
    for (const auto& path : old) {
        std::error_code ignored;  // a part left behind is read again, or dropped next time
        std::filesystem::remove(path, ignored);
    }
}

}  // namespace hg::encode
