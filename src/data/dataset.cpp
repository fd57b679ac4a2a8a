// SPDX-License-Identifier: Apache-2.0
#include "data/dataset.hpp"

#include "core/log.hpp"
#include "data/attributes.hpp"
#include "data/binary_dataset.hpp"
#include "data/raw_dataset.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace hg::data {
namespace {

Result<Dataset> open_either(const std::filesystem::path& folder) {
    if (is_binary_dataset(folder)) {
        return open_binary_dataset(folder);
    }
    HG_TRY(auto raw, read_raw_dataset(folder));
    if (raw.report.rejected > 0) {
        log::warn(
            "rows_rejected",
            {{"count", raw.report.rejected}, {"first", raw.report.examples.front()}}
        );
    }
    return std::move(raw.data);
}

}  // namespace

EventTypeId Dataset::event_type(std::string_view type_name) const {
    const auto found = std::ranges::find(event_types, type_name, &EventType::name);
    if (found == event_types.end()) {
        return EventTypeId{0};
    }
    return EventTypeId{static_cast<std::uint32_t>(found - event_types.begin())};
}

Result<Dataset> open_dataset(const std::filesystem::path& folder) {
    HG_TRY(auto data, open_either(folder));
    if (!data.user_fields.fields().empty()) {
        data.log.set_attributes(std::make_shared<AttributeTable>(data.user_fields));
    }
    return data;
}

}  // namespace hg::data
