// SPDX-License-Identifier: Apache-2.0
// write_synthetic: a made log as a raw folder, with the truth beside it (declared in
// synthetic.hpp).
#include "core/file.hpp"
#include "core/safetensors.hpp"
#include "data/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

namespace hg::data {
namespace {

constexpr std::string_view configuration =
    R"(# Made by `honeyguide ingest --synthetic`; truth.safetensors holds what is behind it.
name = "synthetic"
time = "real"
time_unit = "ms"
repeats = true

[events.weights]
click = 1
skip = 0
)";

/// Event rows in the order of time, as a log grows.
void write_events(const Dataset& data, std::ostream& out) {
    const auto& log = data.log.columns();
    std::vector<std::uint32_t> users(data.log.size());
    for (std::uint32_t u = 0; u < data.log.n_users(); ++u) {
        const auto begin = users.begin() + log.user_offsets[u];
        std::fill(begin, users.begin() + log.user_offsets[u + 1], u);
    }
    std::vector<std::size_t> order(data.log.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return log.times[i]; });
    constexpr std::size_t flush_at = 1 << 16;
    std::string buffer = "user_id,item_id,event,timestamp,propensity\n";
    for (const auto i : order) {
        fmt::format_to(
            std::back_inserter(buffer),
            "{},{},{},{},{}\n",
            data.users.name(users[i]),
            data.items.name(log.items[i].value),
            data.event_types[log.types[i].index()].name,
            log.times[i],
            log.propensities[i]
        );
        if (buffer.size() >= flush_at) {
            out.write(buffer.data(), static_cast<std::streamsize>(buffer.size()));
            buffer.clear();
        }
    }
    out.write(buffer.data(), static_cast<std::streamsize>(buffer.size()));
}

/// Values of made fields hold neither commas nor quotes.
void write_fields(
    std::string_view id, const IdMap& ids, const Catalogue& catalogue, std::ostream& out
) {
    out << id;
    for (const auto& field : catalogue.fields()) {
        out << ',' << field.name;
    }
    out << '\n';
    for (std::uint32_t row = 0; row < ids.size(); ++row) {
        out << ids.name(row);
        for (const auto& field : catalogue.fields()) {
            out << ',' << field.text(row);
        }
        out << '\n';
    }
}

}  // namespace

void write_synthetic(const Synthetic& made, const std::filesystem::path& folder) {
    const auto& data = made.data;
    write_file_atomic(folder / "dataset.toml", configuration);
    write_file_atomic(folder / "interactions.csv", [&](std::ostream& out) {
        write_events(data, out);
    });
    write_file_atomic(folder / "items.csv", [&](std::ostream& out) {
        write_fields("item_id", data.items, data.item_fields, out);
    });
    write_file_atomic(folder / "users.csv", [&](std::ostream& out) {
        write_fields("user_id", data.users, data.user_fields, out);
    });
    SafetensorsWriter truth;
    truth.add<float>("item_vectors", made.item_vectors.view());
    truth.add<float>("user_vectors", made.user_vectors.view());
    truth.add<float>("final_user_vectors", made.final_user_vectors.view());
    truth.add<float>("exposure", made.exposure.view());
    truth.add<std::uint32_t>("segments", made.segments);
    truth.add_strings("item_ids", data.items.names());
    truth.add_strings("user_ids", data.users.names());
    truth.save(folder / "truth.safetensors");
}

}  // namespace hg::data
