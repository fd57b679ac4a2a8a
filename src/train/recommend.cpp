// SPDX-License-Identifier: Apache-2.0
#include "train/recommend.hpp"

#include "core/top_k.hpp"
#include "data/attributes.hpp"
#include "data/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <ostream>
#include <unordered_map>
#include <vector>

namespace hg::train {
namespace {

/// Event type names of the run's dataset -> what one such event weighs.
class EventWeights {
  public:
    explicit EventWeights(const nlohmann::json& manifest) {
        const auto dataset = manifest.value("dataset", nlohmann::json::object());
        has_real_time_ = dataset.value("time", "") == "real";
        const auto types = dataset.value("event_types", nlohmann::json::array());
        for (std::uint32_t i = 0; i < types.size(); ++i) {
            types_[types[i].value("name", "")] = {EventTypeId{i}, types[i].value("weight", 1.0F)};
            if (i == 0) {
                default_ = types_[types[i].value("name", "")];
            }
        }
    }

    void add(data::HistoryBuffer& buffer, ItemId item, const data::QueryEvent& event) const {
        const auto found = types_.find(event.event);
        const auto& [type, weight] = found == types_.end() ? default_ : found->second;
        buffer.add({
            .item = item,
            .weight = weight,
            .type = type,
            .value = event.value,
            .time = milliseconds(event.time.value_or(0)),
        });
    }

  private:
    /// As the reader of logs guesses: a number below 1e11 can only be seconds.
    [[nodiscard]] TimeMs milliseconds(TimeMs time) const {
        constexpr TimeMs seconds_end = 100'000'000'000;
        return has_real_time_ && std::abs(time) < seconds_end ? time * 1000 : time;
    }

    std::unordered_map<std::string, std::pair<EventTypeId, float>> types_;
    bool has_real_time_ = false;
    std::pair<EventTypeId, float> default_{EventTypeId{}, 1.0F};
};

std::string json_text(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class Batch {
  public:
    Batch(const LoadedRun& run, const RecommendOptions& options)
        : run_(run), options_(options), weights_(run.manifest) {
        constexpr std::size_t score_bytes = 64U << 20U;
        constexpr std::size_t most = 256;
        const auto n_items = std::max<std::size_t>(run.model->n_items(), 1);
        capacity_ = std::clamp<std::size_t>(score_bytes / sizeof(float) / n_items, 1, most);
        scores_ = Matrix<float>(capacity_, run.model->n_items());
    }

    [[nodiscard]] bool full() const { return queries_.size() == capacity_; }

    [[nodiscard]] std::size_t size() const { return queries_.size(); }

    void add(data::Query query) {
        auto& buffer = buffers_.emplace_back();
        for (const auto& event : query.history) {
            if (const auto item = find(event.item_id)) {
                weights_.add(buffer, *item, event);
            }
        }
        buffer.set_attributes(attributes_.emplace_back(std::move(query.fields)).view());
        queries_.push_back(std::move(query));
    }

    void answer(std::ostream& out) {
        std::vector<data::History> histories;
        for (const auto& buffer : buffers_) {
            histories.push_back(buffer.view());
        }
        run_.model->score(histories, scores_.view().rows_slice(0, histories.size()));
        for (std::size_t row = 0; row < queries_.size(); ++row) {
            write(out, queries_[row], pick(row, histories[row]));
        }
        queries_.clear();
        buffers_.clear();
        attributes_.clear();
    }

    [[nodiscard]] std::size_t n_unknown() const { return n_unknown_; }

  private:
    std::optional<ItemId> find(const std::string& id) {
        const auto item = run_.items.find(id);
        if (!item) {
            ++n_unknown_;
            return std::nullopt;
        }
        return ItemId{*item};
    }

    std::vector<Scored> pick(std::size_t row, const data::History& history) {
        const auto scores = scores_.row(row);
        if (options_.seen == Seen::hide) {
            mask(scores, history.items);
        }
        const auto& query = queries_[row];
        for (const auto& id : query.exclude) {
            if (const auto item = find(id)) {
                scores[item->index()] = masked_score;
            }
        }
        if (query.candidates) {
            keep_only(scores, *query.candidates);
        }
        return top_k(scores, options_.k);
    }

    void keep_only(std::span<float> scores, const std::vector<std::string>& candidates) {
        std::vector<float> kept(scores.size(), masked_score);
        for (const auto& id : candidates) {
            if (const auto item = find(id)) {
                kept[item->index()] = scores[item->index()];
            }
        }
        std::ranges::copy(kept, scores.begin());
    }

    void write(std::ostream& out, const data::Query& query, const std::vector<Scored>& items)
        const {
        auto line = fmt::format(
            R"({{"user_id":{},"items":[)", query.user_id ? json_text(*query.user_id) : "null"
        );
        for (std::size_t i = 0; i < items.size(); ++i) {
            line += fmt::format(
                R"({}{{"item_id":{},"score":{}}})",
                i == 0 ? "" : ",",
                json_text(run_.items.name(items[i].index)),
                items[i].score
            );
        }
        out << line << "]}\n";
    }

    const LoadedRun& run_;
    RecommendOptions options_;
    EventWeights weights_;
    std::size_t capacity_ = 1;
    Matrix<float> scores_;
    std::vector<data::Query> queries_;
    std::vector<data::HistoryBuffer> buffers_;
    std::deque<data::Attributes> attributes_;  // of the buffers, which borrow them
    std::size_t n_unknown_ = 0;
};

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

RecommendSummary recommend_lines(
    const LoadedRun& run,
    std::string_view queries,
    std::string_view name,
    std::ostream& answers,
    const RecommendOptions& options,
    ProgressSink& progress,
    std::stop_token stop
) {
    Progress bar{
        progress,
        "recommend",
        static_cast<std::size_t>(std::ranges::count(queries, '\n')),
        "queries"
    };
    RecommendSummary summary;
    data::QueryParser parser;
    Batch batch{run, options};
    const auto flush = [&] {
        if (stop.stop_requested()) {
            throw Error{
                ErrorCode::interrupted, "stopped; no answers were written", "run the command again"
            };
        }
        summary.n_queries += batch.size();
        bar.advance(batch.size());
        batch.answer(answers);
    };
    for (std::size_t number = 1; !queries.empty(); ++number) {
        const auto end = std::min(queries.find('\n'), queries.size());
        const auto line = queries.substr(0, end);
        queries.remove_prefix(std::min(end + 1, queries.size()));
        if (is_blank(line)) {
            continue;
        }
        auto query = parser.parse(line);
        if (!query) {
            throw Error{
                query.error().code(),
                fmt::format("{}:{}: {}", name, number, query.error().message()),
                query.error().hint()
            };
        }
        batch.add(std::move(*query));
        if (batch.full()) {
            flush();
        }
    }
    if (batch.size() > 0) {
        flush();
    }
    summary.n_unknown_items = batch.n_unknown();
    summary.unknown_keys = parser.unknown_keys();
    return summary;
}

}  // namespace hg::train
