// SPDX-License-Identifier: Apache-2.0
// What the engine shows: items, lists, users, its own state.
#include "core/top_k.hpp"
#include "serve/engine.hpp"
#include "serve/user_belief.hpp"
#include "serve/user_knobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

namespace hg::serve {
namespace {

constexpr std::size_t shown_history = 30;

/// Cosine of one row of a matrix with every row; rows of zeros are left out.
std::vector<float> cosines(MatrixView<const float> vectors, std::size_t row) {
    const auto norm = [](std::span<const float> v) {
        return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
    };
    const auto one = vectors.row(row);
    const double length = norm(one);
    std::vector<float> out(vectors.rows(), masked_score);
    if (length <= 0) {
        return out;
    }
    for (std::size_t r = 0; r < vectors.rows(); ++r) {
        const auto other = vectors.row(r);
        const double other_length = norm(other);
        if (other_length <= 0) {
            continue;
        }
        const double dot = std::inner_product(one.begin(), one.end(), other.begin(), 0.0);
        out[r] = static_cast<float>(dot / (length * other_length));
    }
    return out;
}

/// Similar to an item of the model: by its content vectors, else the model's own, else by what the
/// model would show someone who had only this.
std::vector<float> similarities(const Snapshot& snapshot, std::uint32_t row) {
    if (snapshot.content && snapshot.content->present[row] != 0) {
        return cosines(snapshot.content->vectors.view(), row);
    }
    if (const auto vectors = snapshot.run.model->item_vectors()) {
        return cosines(*vectors, row);
    }
    data::HistoryBuffer history;
    history.add(ItemId{row});
    Matrix<float> scores(1, snapshot.run.model->n_items());
    snapshot.run.model->score(std::array{history.view()}, scores.view());
    return {scores.row(0).begin(), scores.row(0).end()};
}

nlohmann::json event_json(const data::StoredEvent& event) {
    nlohmann::json out{
        {"event_id", event.body.event_id},
        {"item_id", event.body.item_id},
        {"event", event.body.event},
        {"timestamp", event.timestamp},
    };
    if (event.body.value) {
        out["value"] = *event.body.value;
    }
    if (!event.body.recommendation_id.empty()) {
        out["recommendation_id"] = event.body.recommendation_id;
    }
    if (event.body.position) {
        out["position"] = *event.body.position;
    }
    return out;
}

nlohmann::json retrieval_json(const Snapshot& snapshot) {
    if (snapshot.retrieval != nullptr) {
        return snapshot.retrieval->facts();
    }
    return {{"search", "every item"}, {"why", "the model has no item vectors"}};
}

Error no_item(const std::string& id) {
    return {
        ErrorCode::not_found,
        fmt::format("no item \"{}\"", id),
        "PUT /v1/items/{id} creates one",
    };
}

}  // namespace

nlohmann::json Engine::item_rows(const std::vector<ItemRow>& rows) const {
    auto out = nlohmann::json::array();
    const auto items = items_.read();
    for (const auto row : rows) {
        out.push_back(
            {{"item_id", items.id(row)},
             {"title", items.title(row)},
             {"events", items.n_events(row)}}
        );
    }
    return {{"items", std::move(out)}};
}

nlohmann::json Engine::popular(std::size_t k) const {
    return item_rows(items_.read().popular(k));
}

nlohmann::json Engine::latest(std::size_t k) const {
    return item_rows(items_.read().latest(k));
}

nlohmann::json Engine::onboarding(std::size_t k) const {
    const auto snapshot = snapshot_.get();
    if (snapshot->first_screen.empty()) {
        return popular(k);
    }
    std::vector<ItemRow> shown;
    {
        const auto items = items_.read();
        for (const auto row : snapshot->first_screen) {
            if (shown.size() < k && !items.is_hidden(row) && !items.is_stub(row)) {
                shown.push_back(row);
            }
        }
    }
    return item_rows(shown);
}

Result<nlohmann::json> Engine::item(const std::string& id) const {
    const auto snapshot = snapshot_.get();
    const auto items = items_.read();
    const auto row = items.find(id);
    if (!row || items.is_hidden(*row)) {
        return std::unexpected(no_item(id));
    }
    return nlohmann::json{
        {"item_id", id},
        {"title", items.title(*row)},
        {"fields", items.fields(*row)},
        {"events", items.n_events(*row)},
        {"in_model", snapshot->model_row(*row) != Snapshot::not_in_model},
        {"is_stub", items.is_stub(*row)},
    };
}

Result<nlohmann::json> Engine::similar(const std::string& id, std::size_t k) const {
    const auto snapshot = snapshot_.get();
    const auto items = items_.read();
    const auto row = items.find(id);
    if (!row || items.is_hidden(*row)) {
        return std::unexpected(no_item(id));
    }
    std::vector<Scored> near;
    if (const auto model_row = snapshot->model_row(*row); model_row != Snapshot::not_in_model) {
        auto scores = similarities(*snapshot, model_row);
        scores[model_row] = masked_score;
        for (std::uint32_t i = 0; i < scores.size(); ++i) {
            scores[i] = items.is_hidden(snapshot->item_rows[i]) ? masked_score : scores[i];
        }
        near = top_k(scores, k);
        for (auto& one : near) {
            one.index = snapshot->item_rows[one.index];
        }
    } else {
        for (const auto& one : items.neighbours(*row)) {
            near.push_back({one.row, one.similarity});
        }
    }
    auto out = nlohmann::json::array();
    for (const auto& one : near) {
        if (out.size() >= k) {
            break;
        }
        if (items.is_hidden(one.index) || one.score <= masked_score) {
            continue;
        }
        out.push_back(
            {{"item_id", items.id(one.index)},
             {"title", items.title(one.index)},
             {"score", one.score}}
        );
    }
    return nlohmann::json{{"item_id", id}, {"items", std::move(out)}};
}

Result<nlohmann::json> Engine::user(const std::string& id, std::size_t n_events) {
    const auto snapshot = snapshot_.get();
    HG_TRY(const auto record, store_.user(id));
    HG_TRY(auto fields, sessions_.fields_of(id));
    const auto n_read = std::max(n_events, options_.sessions.max_history);
    HG_TRY(const auto stored, store_.last_events(id, n_read, data::EventStore::forever));
    HG_TRY(const auto session, sessions_.open(*snapshot, id));
    const std::scoped_lock lock{session->mutex};
    if (!record && session->history_size == 0 && stored.empty() && session->settings->empty()) {
        return fail(
            ErrorCode::not_found,
            fmt::format("no user \"{}\"", id),
            "anyone is served: post an event, or recommend with this user_id"
        );
    }
    auto events = nlohmann::json::array();
    for (const auto& event : std::span{stored}.last(std::min(n_events, stored.size()))) {
        events.push_back(event_json(event));
    }
    return nlohmann::json{
        {"user_id", id},
        {"fields", std::move(fields)},
        {"events", std::move(events)},
        {"history", history_json(*session, stored)},
        {"history_size", session->history_size},
        {"knobs", knobs_json(*snapshot, *session)},
        {"belief", belief_json(*snapshot, *session)},
    };
}

/// The last events the model sees, newest first, each under the name by which it can be forgotten.
nlohmann::json Engine::history_json(
    const Session& session, const std::vector<data::StoredEvent>& stored
) const {
    auto history = nlohmann::json::array();
    const auto items = items_.read();
    const auto n = std::min(session.events.size(), shown_history);
    for (std::size_t i = 0; i < n; ++i) {
        const auto& event = session.events[session.events.size() - 1 - i];
        nlohmann::json row{
            {"item_id", items.id(event.row)},
            {"title", items.title(event.row)},
            {"event", dataset_->event_types.at(event.type.index()).name},
            {"weight", event.weight},
        };
        if (event.origin < 0) {
            row["event_id"] = dataset_event_id(static_cast<std::size_t>(-1 - event.origin));
        } else {
            const auto found =
                std::ranges::find(stored, event.origin, &data::StoredEvent::sequence);
            if (found != stored.end()) {
                row["event_id"] = found->body.event_id;
            }
        }
        history.push_back(std::move(row));
    }
    return history;
}

nlohmann::json Engine::knobs_json(const Snapshot& snapshot, const Session& session) const {
    auto out = to_json(knobs_of(*snapshot.admitted.knobs, session));
    out["chosen_by"] = snapshot.admitted.knobs->name();
    out["by_hand"] = !session.settings->knobs.empty();
    return out;
}

nlohmann::json Engine::sample_users(std::size_t n) const {
    auto out = nlohmann::json::array();
    const auto n_users = dataset_->users.size();
    for (std::size_t i = 0; i < std::min(n, n_users); ++i) {
        const auto user = static_cast<std::uint32_t>(i * n_users / std::min(n, n_users));
        const auto erased = store_.is_erased(dataset_->users.name(user));
        if (!erased || *erased) {
            continue;  // in doubt, say nothing
        }
        const auto size =
            user < dataset_->log.n_users() ? dataset_->log.history(UserId{user}).size() : 0;
        out.push_back({{"user_id", dataset_->users.name(user)}, {"events", size}});
    }
    return {{"users", std::move(out)}};
}

Result<nlohmann::json> Engine::status() const {
    const auto snapshot = snapshot_.get();
    HG_TRY(const auto counts, store_.counts());
    HG_TRY(const auto types, store_.events_by_type());
    const auto is_click = [this](std::string_view event) {
        return sessions_.reader().weights().weight(event) > 0;
    };
    HG_TRY(
        const auto collection, collection_.json(store_, options_.policy, is_click, clock_.now())
    );
    auto by_type = nlohmann::json::array();
    for (const auto& type : types) {
        by_type.push_back({{"event", type.event}, {"events", type.n_events}});
    }
    auto weights = nlohmann::json::object();
    for (const auto& type : dataset_->event_types) {
        weights[type.name] = type.weight;
    }
    return nlohmann::json{
        {"model", snapshot->run.name},
        {"model_kind", snapshot->run.manifest.value("model", "")},
        {"manifest", snapshot->run.manifest},
        {"snapshot", snapshot->number},
        {"run_note", snapshot->admitted.run_note},
        {"policy", policy::PlackettLuce{options_.policy}.version()},
        {"knobs", to_json(snapshot->admitted.knobs->choose({}))},
        {"knobs_chosen_by", snapshot->admitted.knobs->name()},
        {"knobs_note", snapshot->admitted.knobs_note},
        {"collection", collection},
        {"encoder", snapshot->content ? snapshot->content->encoder : ""},
        {"retrieval", retrieval_json(*snapshot)},
        {"has_belief", snapshot->run.model->belief_prior() != nullptr},
        {"dataset",
         {{"name", dataset_->name},
          {"users", dataset_->users.size()},
          {"items", dataset_->items.size()},
          {"events", dataset_->log.size()},
          {"event_weights", std::move(weights)}}},
        {"store",
         {{"users", counts.users},
          {"items", counts.items},
          {"events", counts.events},
          {"impressions", counts.impressions},
          {"by_type", std::move(by_type)}}},
        {"items", items_.read().size()},
        {"sessions", sessions_.size()},
        {"recommendations", figures_.recommendations.load()},
        {"started", started_},
        {"uptime_ms", clock_.now() - started_},
    };
}

}  // namespace hg::serve
