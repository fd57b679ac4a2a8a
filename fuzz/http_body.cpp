// SPDX-License-Identifier: Apache-2.0
// fuzz: links hg_http
// The bodies and addresses that strangers send: events, recommend, fields, the target of a request.
// The first byte chooses the parser. Beyond not crashing: what was accepted keeps its promises.
#include "serve/http/bodies.hpp"
#include "serve/http/guard.hpp"
#include "serve/http/json_body.hpp"
#include "serve/http/target.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void must(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void events(std::string_view body) {
    const auto rows = hg::serve::parse_events(body);
    if (!rows) {
        return;
    }
    must(!rows->empty() && rows->size() <= hg::serve::max_events_per_batch);
    for (const auto& row : *rows) {
        if (!row.event) {
            continue;
        }
        must(!row.event->event_id.empty() && row.event->event_id.size() <= hg::serve::max_id_bytes);
        must(
            !row.event->user_id.empty() && !row.event->item_id.empty() && !row.event->event.empty()
        );
        must(row.event->context.empty() || nlohmann::json::accept(row.event->context));
        must(hg::data::body_digest(*row.event).size() == 32);
    }
}

void recommend(std::string_view body) {
    const auto wish = hg::serve::parse_recommend(body);
    if (!wish) {
        return;
    }
    must(wish->k >= 1 && wish->k <= static_cast<std::size_t>(hg::serve::max_slate));
    must(wish->user_id.empty() || wish->history.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0] % 5) {
        case 0:
            events(body);
            break;
        case 1:
            recommend(body);
            break;
        case 2:
            if (const auto fields = hg::serve::parse_fields(body)) {
                must(!fields->dump().empty());
            }
            break;
        case 3:
            (void)hg::serve::parse_target(body);
            break;
        default:
            (void)hg::serve::is_loopback_host(body);
            break;
    }
    return 0;
}
