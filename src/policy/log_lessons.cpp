// SPDX-License-Identifier: Apache-2.0
#include "data/impression_log.hpp"
#include "policy/impressions.hpp"
#include "policy/log_lessons_net.hpp"
#include "policy/session_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::policy {
namespace {

void check_shape(
    const simulate::EnvironmentFacts& logged,
    const simulate::EnvironmentFacts& world,
    const std::string& path
) {
    if (logged.user_size == world.user_size && logged.item_size == world.item_size) {
        return;
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "{}: {} numbers of a user and {} of an item, this world shows {} and {}",
            path,
            logged.user_size,
            logged.item_size,
            world.user_size,
            world.item_size
        ),
        "log decisions in this world: honeyguide simulate run --world WORLD --policy random --log "
        "FILE",
    };
}

}  // namespace

void LogLessons::read_log() {
    data::Rejections none{0};
    const auto log =
        value_or_throw(data::read_impressions(options().log, data::Purpose::learning, none));
    const auto seen = decisions_of(log);
    check_shape(seen.shape, world(), options().log);
    auto shown = world();
    shown.n_candidates = seen.shape.slate_size;
    decisions_ = NetInput::zeros(signed_size(log.size()), shown, session_size());
    clicked_ = at::zeros({signed_size(log.size()), signed_size(shown.n_candidates)});
    const auto tokens = session_size() / SessionTokens::token_size(world());
    const auto sessions = sessions_of(log, seen, tokens);
    auto* clicked = clicked_.mutable_data_ptr<float>();
    Matrix<float> items(shown.n_candidates, shown.item_size);
    Matrix<std::uint32_t> ids(1, shown.n_candidates);
    for (std::size_t i = 0; i < log.size(); ++i) {
        for (std::size_t slot = 0; slot < shown.n_candidates; ++slot) {
            const auto place = seen.slates(i, slot);
            std::ranges::copy(
                seen.items.row(i * seen.shape.n_candidates + place), items.row(slot).begin()
            );
            ids(0, slot) = seen.item_ids(i, place);
            *clicked++ = response_of(log, i, slot).clicked ? 1.0F : 0.0F;
        }
        const ObservationBatch one{
            .users = seen.users.view().rows_slice(i, 1),
            .items = std::as_const(items).view(),
            .item_ids = std::as_const(ids).view(),
            .states = {},
            .sessions = sessions.view().rows_slice(i, 1),
        };
        decisions_.put(signed_size(i), one, 0);
    }
}

void LogLessons::observe(const TransitionBatch& /*step*/, Rng& rng, const MetricSink& log) {
    if (!clicked_.defined()) {
        read_log();
    }
    for (auto due = updates_due(true); due > 0; --due) {
        const auto rows = draw_rows(clicked_.size(0), rng);
        const auto scores = net().forward(decisions_.rows(rows)).scores;
        const auto loss =
            at::binary_cross_entropy_with_logits(scores, clicked_.index_select(0, rows));
        log("log_loss", loss.item<double>());
        descend(loss);
    }
}

}  // namespace hg::policy
