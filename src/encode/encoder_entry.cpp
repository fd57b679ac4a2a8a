// SPDX-License-Identifier: Apache-2.0
#include "encode/encoder_entry.hpp"

#include "core/registry.hpp"
#include "encode/encoder_files.hpp"

#include <array>

namespace hg::encode {

#define HG_ENCODER(name) extern const EncoderEntry name;
#include "encode/encoders/builtin.def"
#undef HG_ENCODER

namespace {

constexpr std::array table{
#define HG_ENCODER(name) &name,
#include "encode/encoders/builtin.def"
#undef HG_ENCODER
};

}  // namespace

std::span<const EncoderEntry* const> encoders() {
    return table;
}

const EncoderEntry& find_encoder(std::string_view name) {
    return find_entry<EncoderEntry>(encoders(), name, "encoder");
}

std::unique_ptr<ContentModel> load_encoder(const std::filesystem::path& folder) {
    const auto manifest = read_encoder_json(folder);
    return find_encoder(manifest.at("encoder").get<std::string>()).load(folder);
}

}  // namespace hg::encode
