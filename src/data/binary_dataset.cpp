// SPDX-License-Identifier: Apache-2.0
#include "data/binary_dataset.hpp"

#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/safetensors.hpp"
#include "core/sealed_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::data {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view format_name = "honeyguide-dataset";
constexpr std::string_view index_file = "dataset.json";
constexpr std::string_view log_file = "log.safetensors";
constexpr std::string_view items_file = "items.safetensors";
constexpr std::string_view users_file = "users.safetensors";
constexpr std::array data_files{log_file, items_file, users_file};
constexpr std::array time_names{"real", "order", "none"};  // index = TimeKind
constexpr std::array field_kinds{
    FieldKind::text,
    FieldKind::category,
    FieldKind::categories,
    FieldKind::number,
    FieldKind::link,
};

Error corrupt(const fs::path& file, std::string_view what) {
    return {
        ErrorCode::corrupt,
        fmt::format("{}: {}", file.string(), what),
        "the dataset is damaged or of another version: ingest it again",
    };
}

template <typename Tag>
std::span<const std::uint32_t> plain(std::span<const Id<Tag>> ids) {
    static_assert(sizeof(Id<Tag>) == sizeof(std::uint32_t));
    return {reinterpret_cast<const std::uint32_t*>(ids.data()), ids.size()};
}

template <typename IdType>
std::span<const IdType> typed(std::span<const std::uint32_t> values) {
    static_assert(sizeof(IdType) == sizeof(std::uint32_t));
    return {reinterpret_cast<const IdType*>(values.data()), values.size()};
}

void write_log(const InteractionLog& log, const fs::path& path) {
    const auto& columns = log.columns();
    SafetensorsWriter writer;
    static constexpr std::array<std::int64_t, 1> no_users{0};
    writer.add<std::int64_t>(
        "user_offsets",
        columns.user_offsets.empty() ? std::span<const std::int64_t>{no_users}
                                     : columns.user_offsets
    );
    writer.add<std::uint32_t>("items", plain(columns.items));
    writer.add<std::uint32_t>("types", plain(columns.types));
    writer.add<float>("weights", columns.weights);
    writer.add<float>("values", columns.values);
    writer.add<std::int64_t>("times", columns.times);
    writer.add<float>("propensities", columns.propensities);
    if (!columns.sessions.empty()) {
        writer.add<std::uint32_t>("sessions", columns.sessions);
    }
    writer.save(path);
}

std::string tensor_name(std::size_t field, std::string_view part) {
    return fmt::format("field.{}.{}", field, part);
}

void write_table(const IdMap& ids, const Catalogue& catalogue, const fs::path& path) {
    SafetensorsWriter writer;
    writer.add_strings("ids", ids.names());
    for (std::size_t i = 0; i < catalogue.fields().size(); ++i) {
        const auto& field = catalogue.fields()[i];
        writer.add<std::uint8_t>(tensor_name(i, "present"), field.present);
        switch (field.kind) {
            case FieldKind::text:
            case FieldKind::link:
                writer.add_strings(tensor_name(i, "texts"), field.texts);
                break;
            case FieldKind::number:
                writer.add<float>(tensor_name(i, "numbers"), field.numbers);
                break;
            case FieldKind::category:
            case FieldKind::categories:
                writer.add_strings(tensor_name(i, "vocabulary"), field.vocabulary);
                writer.add<std::int64_t>(tensor_name(i, "code_offsets"), field.code_offsets);
                writer.add<std::uint32_t>(tensor_name(i, "codes"), field.codes);
                break;
        }
    }
    writer.save(path);
}

json fields_json(const Catalogue& catalogue) {
    auto fields = json::array();
    for (const auto& field : catalogue.fields()) {
        fields.push_back({{"name", field.name}, {"kind", to_string(field.kind)}});
    }
    return fields;
}

std::string checksum(std::span<const std::byte> bytes) {
    Digest digest;
    digest.update(bytes);
    return digest.hex();
}

json index_json(const Dataset& data, const fs::path& folder) {
    json index{
        {"format", format_name},
        {"format_version", dataset_format_version},
        {"name", data.name},
        {"hash", data.hash},
        {"time", time_names.at(static_cast<std::size_t>(data.time_kind))},
        {"repeats", data.repeats_count},
        {"n_users", data.users.size()},
        {"n_items", data.items.size()},
        {"n_events", data.log.size()},
        {"event_types", json::array()},
        {"item_fields", fields_json(data.item_fields)},
        {"user_fields", fields_json(data.user_fields)},
        {"files", json::object()},
    };
    for (const auto& type : data.event_types) {
        index["event_types"].push_back(
            {{"name", type.name}, {"weight", type.weight}, {"purchase", type.is_purchase}}
        );
    }
    for (const auto file : data_files) {
        const auto mapping = value_or_throw(MappedFile::open(folder / file));
        index["files"][std::string{file}] = {
            {"bytes", mapping.bytes().size()}, {"blake2b", checksum(mapping.bytes())}
        };
    }
    return index;
}

/// Reads one dataset folder; every step checks what it reads before the next one uses it.
class Opener {
  public:
    explicit Opener(const fs::path& folder) : folder_(folder), index_path_(folder / index_file) {}

    Result<Dataset> open() {
        HG_TRY(const auto text, read_file(index_path_));
        index_ = json::parse(text, nullptr, false);
        try {
            if (auto read = read_index(); !read) {
                return std::unexpected(read.error());
            }
            if (auto read = read_tables(); !read) {
                return std::unexpected(read.error());
            }
            if (auto read = read_log(); !read) {
                return std::unexpected(read.error());
            }
        } catch (const json::exception& error) {
            return std::unexpected(
                corrupt(index_path_, fmt::format("not as expected: {}", error.what()))
            );
        }
        return std::move(data_);
    }

  private:
    Result<void> read_index() {
        if (!index_.is_object() || index_.value("format", "") != format_name) {
            return std::unexpected(corrupt(index_path_, "not the index of a dataset"));
        }
        if (const int version = index_.at("format_version"); version != dataset_format_version) {
            return std::unexpected(corrupt(
                index_path_,
                fmt::format(
                    "format version {}, this program reads {}", version, dataset_format_version
                )
            ));
        }
        if (has_broken_seal(index_)) {
            return std::unexpected(corrupt(index_path_, "its content differs from its seal"));
        }
        data_.name = index_.at("name");
        data_.hash = index_.at("hash");
        data_.repeats_count = index_.at("repeats");
        const std::string time = index_.at("time");
        const auto found = std::ranges::find(time_names, time);
        if (found == time_names.end()) {
            return std::unexpected(
                corrupt(index_path_, fmt::format("unknown kind of time \"{}\"", time))
            );
        }
        data_.time_kind = static_cast<TimeKind>(found - time_names.begin());
        for (const auto& type : index_.at("event_types")) {
            data_.event_types.push_back({
                .name = type.at("name"),
                .weight = type.at("weight"),
                .is_purchase = type.value("purchase", false),
            });
        }
        if (data_.event_types.empty()) {
            return std::unexpected(corrupt(index_path_, "no event types"));
        }
        return {};
    }

    Result<SafetensorsFile> open_file(std::string_view name) const {
        const auto path = folder_ / name;
        const auto& expected = index_.at("files").at(std::string{name});
        HG_TRY(const auto mapping, MappedFile::open(path));
        const std::size_t bytes = expected.at("bytes");
        if (mapping.bytes().size() != bytes) {
            return std::unexpected(
                corrupt(path, fmt::format("{} bytes, expected {}", mapping.bytes().size(), bytes))
            );
        }
        if (bytes <= checked_bytes &&
            checksum(mapping.bytes()) != expected.at("blake2b").get<std::string>()) {
            return std::unexpected(corrupt(path, "its bytes do not match their checksum"));
        }
        return SafetensorsFile::open(path);
    }

    Result<void> read_tables() {
        HG_TRY(data_.items, read_ids(items_file, "n_items", "item_fields", data_.item_fields));
        HG_TRY(data_.users, read_ids(users_file, "n_users", "user_fields", data_.user_fields));
        return {};
    }

    Result<IdMap> read_ids(
        std::string_view name, const char* count_key, const char* fields_key, Catalogue& catalogue
    ) {
        HG_TRY(const auto file, open_file(name));
        HG_TRY(const auto names, file.strings("ids"));
        const auto path = folder_ / name;
        if (names.size() != index_.at(count_key).get<std::size_t>()) {
            return std::unexpected(corrupt(
                path,
                fmt::format(
                    "{} ids, dataset.json says {}", names.size(), index_.at(count_key).dump()
                )
            ));
        }
        IdMap ids;
        for (const auto id : names) {
            ids.intern(id);
        }
        if (ids.size() != names.size()) {
            return std::unexpected(corrupt(path, "an id occurs twice"));
        }
        std::vector<Field> fields;
        for (const auto& entry : index_.at(fields_key)) {
            HG_TRY(auto field, read_field(file, path, fields.size(), entry, names.size()));
            fields.push_back(std::move(field));
        }
        catalogue = Catalogue{names.size(), std::move(fields)};
        return ids;
    }

    static Result<Field> read_field(
        const SafetensorsFile& file,
        const fs::path& path,
        std::size_t index,
        const json& entry,
        std::size_t n_rows
    ) {
        Field field;
        field.name = entry.at("name");
        const std::string kind_name = entry.at("kind");
        const auto kind =
            std::ranges::find(field_kinds, kind_name, [](FieldKind k) { return to_string(k); });
        const auto bad = [&](std::string_view what) {
            return std::unexpected(corrupt(path, fmt::format("field \"{}\": {}", field.name, what))
            );
        };
        if (kind == field_kinds.end()) {
            return bad(fmt::format("unknown kind \"{}\"", kind_name));
        }
        field.kind = *kind;
        HG_TRY(const auto present, file.values<std::uint8_t>(tensor_name(index, "present")));
        field.present.assign(present.begin(), present.end());
        if (present.size() != n_rows) {
            return bad("another number of rows");
        }
        if (field.kind == FieldKind::text || field.kind == FieldKind::link) {
            HG_TRY(const auto texts, file.strings(tensor_name(index, "texts")));
            field.texts.assign(texts.begin(), texts.end());
            if (texts.size() != n_rows) {
                return bad("another number of texts");
            }
        } else if (field.kind == FieldKind::number) {
            HG_TRY(const auto numbers, file.values<float>(tensor_name(index, "numbers")));
            field.numbers.assign(numbers.begin(), numbers.end());
            if (numbers.size() != n_rows) {
                return bad("another number of numbers");
            }
        } else {
            HG_TRY(const auto words, file.strings(tensor_name(index, "vocabulary")));
            HG_TRY(
                const auto offsets, file.values<std::int64_t>(tensor_name(index, "code_offsets"))
            );
            HG_TRY(const auto codes, file.values<std::uint32_t>(tensor_name(index, "codes")));
            field.vocabulary.assign(words.begin(), words.end());
            field.code_offsets.assign(offsets.begin(), offsets.end());
            field.codes.assign(codes.begin(), codes.end());
            if (!are_offsets(offsets, n_rows, codes.size())) {
                return bad("code offsets do not fit");
            }
            if (std::ranges::any_of(codes, [&](auto c) { return c >= words.size(); })) {
                return bad("a code is outside the vocabulary");
            }
        }
        return field;
    }

    static bool are_offsets(
        std::span<const std::int64_t> offsets, std::size_t rows, std::size_t total
    ) {
        return offsets.size() == rows + 1 && offsets.front() == 0 &&
               std::ranges::is_sorted(offsets) && std::cmp_equal(offsets.back(), total);
    }

    Result<void> read_log() {
        const auto path = folder_ / log_file;
        HG_TRY(auto opened, open_file(log_file));
        const auto file = std::make_shared<const SafetensorsFile>(std::move(opened));
        LogColumns columns;
        HG_TRY(columns.user_offsets, file->values<std::int64_t>("user_offsets"));
        HG_TRY(const auto items, file->values<std::uint32_t>("items"));
        HG_TRY(const auto types, file->values<std::uint32_t>("types"));
        HG_TRY(columns.weights, file->values<float>("weights"));
        HG_TRY(columns.values, file->values<float>("values"));
        HG_TRY(columns.times, file->values<std::int64_t>("times"));
        HG_TRY(columns.propensities, file->values<float>("propensities"));
        if (file->contains("sessions")) {
            HG_TRY(columns.sessions, file->values<std::uint32_t>("sessions"));
        }
        columns.items = typed<ItemId>(items);
        columns.types = typed<EventTypeId>(types);
        const std::size_t n = index_.at("n_events");
        const std::array sizes{
            items.size(),
            types.size(),
            columns.weights.size(),
            columns.values.size(),
            columns.times.size(),
            columns.propensities.size(),
            columns.sessions.empty() ? n : columns.sessions.size(),
        };
        if (std::ranges::any_of(sizes, [n](auto size) { return size != n; })) {
            return std::unexpected(corrupt(path, fmt::format("a column does not have {} events", n))
            );
        }
        if (!are_offsets(columns.user_offsets, data_.users.size(), n)) {
            return std::unexpected(corrupt(path, "user offsets do not fit"));
        }
        if (std::ranges::any_of(items, [&](auto i) { return i >= data_.items.size(); })) {
            return std::unexpected(corrupt(path, "an item is outside the catalogue"));
        }
        if (std::ranges::any_of(types, [&](auto t) { return t >= data_.event_types.size(); })) {
            return std::unexpected(corrupt(path, "an event type is outside the table"));
        }
        data_.log = InteractionLog::from_columns(columns, data_.items.size(), file);
        return {};
    }

    const fs::path& folder_;
    fs::path index_path_;
    json index_;
    Dataset data_;
};

}  // namespace

bool is_binary_dataset(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / index_file, ignored) && fs::exists(folder / log_file, ignored);
}

Result<Dataset> open_binary_dataset(const fs::path& folder) {
    return Opener{folder}.open();
}

void write_binary_dataset(const Dataset& data, const fs::path& folder, const json& notes) {
    write_log(data.log, folder / log_file);
    write_table(data.items, data.item_fields, folder / items_file);
    write_table(data.users, data.user_fields, folder / users_file);
    auto index = index_json(data, folder);
    for (const auto& [key, value] : notes.items()) {
        index[key] = value;
    }
    seal(index);
    write_file_atomic(
        folder / index_file, index.dump(2, ' ', false, json::error_handler_t::replace) + "\n"
    );
}

}  // namespace hg::data
