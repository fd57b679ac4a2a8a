// SPDX-License-Identifier: Apache-2.0
// content_hash: the name of a dataset's content (declared in raw_dataset.hpp).
#include "core/digest.hpp"
#include "data/raw_dataset.hpp"

#include <fmt/format.h>

#include <span>
#include <string_view>
#include <vector>

namespace hg::data {
namespace {

constexpr std::string_view version = "honeyguide dataset 1";

void add_text(Digest& digest, std::string_view text) {
    digest.update(fmt::format("{}:", text.size()));
    digest.update(text);
}

template <typename T>
void add_column(Digest& digest, std::span<const T> column) {
    digest.update(fmt::format("{}:", column.size()));
    digest.update(std::as_bytes(column));
}

/// Texts through one buffer: a call of the hash per name would cost more than the hashing.
void add_texts(Digest& digest, std::size_t count, const auto& text_at) {
    constexpr std::size_t flush_at = 1 << 16;
    std::string buffer = fmt::format("{} texts:", count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& text = text_at(i);
        fmt::format_to(std::back_inserter(buffer), "{}:", text.size());
        buffer += text;
        if (buffer.size() >= flush_at) {
            digest.update(buffer);
            buffer.clear();
        }
    }
    digest.update(buffer);
}

void add_ids(Digest& digest, const IdMap& ids) {
    add_texts(digest, ids.size(), [&](std::size_t i) -> const std::string& {
        return ids.name(static_cast<std::uint32_t>(i));
    });
}

void add_list(Digest& digest, const std::vector<std::string>& texts) {
    add_texts(digest, texts.size(), [&](std::size_t i) -> const std::string& { return texts[i]; });
}

void add_fields(Digest& digest, const Catalogue& catalogue) {
    add_text(digest, fmt::format("{} fields", catalogue.fields().size()));
    for (const auto& field : catalogue.fields()) {
        add_text(digest, field.name);
        add_text(digest, to_string(field.kind));
        add_column<std::uint8_t>(digest, field.present);
        add_list(digest, field.texts);
        add_column<float>(digest, field.numbers);
        add_list(digest, field.vocabulary);
        add_column<std::int64_t>(digest, field.code_offsets);
        add_column<std::uint32_t>(digest, field.codes);
    }
}

}  // namespace

std::string content_hash(const Dataset& data) {
    Digest digest;
    digest.update(version);
    add_ids(digest, data.users);
    add_ids(digest, data.items);
    for (const auto& type : data.event_types) {
        add_text(
            digest,
            fmt::format("{}={}{}", type.name, type.weight, type.is_purchase ? " purchase" : "")
        );
    }
    add_text(digest, fmt::format("{} {}", static_cast<int>(data.time_kind), data.repeats_count));
    const auto& log = data.log.columns();
    add_column(digest, log.user_offsets);
    add_column(digest, log.items);
    add_column(digest, log.types);
    add_column(digest, log.weights);
    add_column(digest, log.values);
    add_column(digest, log.times);
    add_column(digest, log.propensities);
    if (!log.sessions.empty()) {
        add_column(digest, log.sessions);
    }
    add_fields(digest, data.item_fields);
    add_fields(digest, data.user_fields);
    return digest.hex();
}

}  // namespace hg::data
