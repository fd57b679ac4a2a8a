// SPDX-License-Identifier: Apache-2.0
#include "serve/user_belief.hpp"

#include "train/gaussian_prior.hpp"

#include <algorithm>
#include <cmath>

namespace hg::serve {
namespace {

constexpr std::size_t n_traits = 8;

/// How much more often the words of a field occur in what the user liked than in the catalogue, in
/// standard deviations of a user who picks at random; dislikes count against.
std::vector<policy::Trait> traits_of_history(
    const Snapshot& snapshot, const data::Field& field, std::span<const UserEvent> events
) {
    std::vector<double> share(field.vocabulary.size());
    std::vector<double> lift(field.vocabulary.size());
    const auto n_items = static_cast<double>(field.present.size());
    for (const auto code : field.codes) {
        share[code] += 1 / n_items;
    }
    double n_events = 0;
    for (const auto& event : events) {
        const auto row = snapshot.model_row(event.row);
        if (row == Snapshot::not_in_model || event.weight == 0 || field.present[row] == 0) {
            continue;
        }
        const double sign = event.weight > 0 ? 1 : -1;
        n_events += 1;
        for (const auto code : field.row_codes(row)) {
            lift[code] += sign;
        }
        for (std::size_t code = 0; code < lift.size(); ++code) {
            lift[code] -= sign * share[code];
        }
    }
    std::vector<policy::Trait> traits;
    for (std::size_t code = 0; code < lift.size() && n_events > 0; ++code) {
        const double deviation =
            std::sqrt(n_events * share[code] * (1 - std::min(0.99, share[code])) + 1);
        traits.push_back({field.vocabulary[code], lift[code] / deviation});
    }
    return traits;
}

void add_traits(nlohmann::json& out, const std::string& field, std::vector<policy::Trait> traits) {
    std::ranges::sort(traits, std::greater{}, [](const auto& trait) {
        return std::abs(trait.preference);
    });
    traits.resize(std::min(traits.size(), n_traits));
    for (const auto& trait : traits) {
        if (std::abs(trait.preference) < 1e-3) {
            continue;
        }
        out.push_back({{"field", field}, {"name", trait.name}, {"preference", trait.preference}});
    }
}

}  // namespace

void keep_belief(const Snapshot& snapshot, Session& session) {
    const auto* prior = snapshot.run.model->belief_prior();
    if (prior == nullptr) {
        session.belief.reset();
        return;
    }
    if (session.belief && session.belief->space_id == prior->space_id()) {
        return;
    }
    session.belief = std::make_unique<policy::Belief>(
        *make_belief(snapshot, session.view(), session.settings->wishes)
    );
}

std::optional<policy::Belief> make_belief(
    const Snapshot& snapshot, const UserView& user, std::span<const TraitWish> wishes
) {
    const auto* prior = snapshot.run.model->belief_prior();
    if (prior == nullptr) {
        return std::nullopt;
    }
    const auto history = model_history(snapshot, user);
    // Wishes first, as if the user had come with them: then an event that follows is one more
    // update, and a replay gives the same belief.
    policy::Belief belief{*prior, history.view()};
    for (const auto& wish : wishes) {
        const auto* const field = snapshot.trait_field(wish.field);
        const auto direction = field == nullptr
                                   ? std::vector<float>{}
                                   : policy::trait_direction(*prior, *field, wish.name);
        if (!direction.empty()) {
            const auto preference = static_cast<float>(wish.preference);
            policy::adapt_to_wish(*prior, belief, direction, preference);
        }
    }
    policy::adapt_all(*prior, belief, history.view());
    return belief;
}

void update_belief(const Snapshot& snapshot, Session& session, const UserEvent& event) {
    const auto* prior = snapshot.run.model->belief_prior();
    if (prior == nullptr || !session.belief || session.belief->space_id != prior->space_id()) {
        return;
    }
    const auto row = snapshot.model_row(event.row);
    if (row != Snapshot::not_in_model) {  // a replay leaves it out, too
        policy::adapt(*prior, *session.belief, ItemId{row}, event.weight);
    }
}

nlohmann::json belief_json(const Snapshot& snapshot, const Session& session) {
    const auto* prior = snapshot.run.model->belief_prior();
    auto traits = nlohmann::json::array();
    const bool has_belief = prior != nullptr && session.belief;
    for (const auto& field : snapshot.trait_fields) {
        add_traits(
            traits,
            field.name,
            has_belief ? policy::traits(*prior, *session.belief, field, n_traits)
                       : traits_of_history(snapshot, field, session.events)
        );
    }
    const auto n_liked =
        std::ranges::count_if(session.events, [](const auto& event) { return event.weight > 0; });
    nlohmann::json out{
        {"kind", has_belief ? "gaussian" : "history"},
        {"n_events", session.history_size},
        {"n_liked", n_liked},
        {"traits", std::move(traits)},
    };
    if (!session.settings->wishes.empty()) {
        out["wishes"] = to_json(session.settings->wishes);
    }
    if (has_belief) {
        out["uncertainty"] = policy::uncertainty_left(*session.belief);
        out["space"] = session.belief->space_id;
        out["segment"] = session.belief->segment;
    }
    return out;
}

}  // namespace hg::serve
