// SPDX-License-Identifier: Apache-2.0
// Google Analytics 4: the events_YYYYMMDD tables of its BigQuery export, as JSON lines.
#include "data/ga4_rows.hpp"
#include "data/importer.hpp"
#include "data/text_file.hpp"

#include <array>
#include <utility>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 3> needs{"event_name", "event_timestamp", "user_pseudo_id"};
constexpr std::array<ColumnRule, 5> event_rules{{
    {.from = "user_pseudo_id",
     .to = "user_id",
     .note = "the _ga cookie's client id, so that the page can ask with it; else user_id"},
    {.from = "items[].item_id", .to = "item_id", .note = "a row for each; else item_name"},
    {.from = "event_name", .to = "event"},
    {.from = "event_timestamp", .to = "timestamp", .note = "microseconds"},
    {.from = "event_params[ga_session_id]", .to = "session_id", .note = "with the user's id"},
}};
constexpr std::array<ColumnRule, 5> item_rules{{
    {.from = "items[].item_id", .to = "item_id"},
    {.from = "items[].item_name", .to = "title"},
    {.from = "items[].item_brand", .to = "brand"},
    {.from = "items[].item_category, ..2 to ..5", .to = "categories"},
    {.from = "items[].price", .to = "price"},
}};
constexpr std::array<TableRules, 2> tables{{
    {TableKind::interactions, event_rules},
    {TableKind::items, item_rules},
}};
constexpr std::array<EventRule, 6> events{{
    {.name = "view_item", .weight = 1},
    {.name = "select_item", .weight = 1},
    {.name = "add_to_wishlist", .weight = 2},
    {.name = "add_to_cart", .weight = 2},
    {.name = "purchase", .weight = 5},
    {.name = "refund", .weight = -1},
}};
constexpr std::array<LeftOutColumns, 5> left_out{{
    {"device", "about the visit, not about taste"},
    {"geo", "about the visit, not about taste"},
    {"traffic_source", "about the visit, not about taste"},
    {"user_properties", "not used"},
    {"ecommerce", "sums of the items"},
}};

class Ga4File final : public RowReader {
  public:
    Ga4File(TextFile file, TableKind kind, ImportContext& context)
        : file_(std::move(file)), rows_(file_.text(), kind, context) {
        columns_ = rows_.columns();
    }

    bool next(Row& row) override { return rows_.next(row); }

    [[nodiscard]] std::size_t estimated_rows() const override { return rows_.estimated_rows(); }

  private:
    TextFile file_;
    Ga4Rows rows_;
};

Result<std::unique_ptr<RowReader>> open(
    const std::filesystem::path& path, TableKind kind, ImportContext& context
) {
    HG_TRY(auto file, TextFile::open(path));
    return std::make_unique<Ga4File>(std::move(file), kind, context);
}

}  // namespace

extern const ImporterEntry ga4_events{
    .name = "ga4_events",
    .summary = "Google Analytics 4: BigQuery event export (JSON lines)",
    .files = "events_20240301.json, events_*.jsonl.gz",
    .needs = needs,
    .tables = tables,
    .events = events,
    .left_out = left_out,
    .open = &open,
};

}  // namespace hg::data
