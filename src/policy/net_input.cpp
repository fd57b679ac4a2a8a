// SPDX-License-Identifier: Apache-2.0
#include "policy/net_input_net.hpp"

#include <algorithm>

namespace hg::policy {
namespace {

/// [B, length, token_size]
at::Tensor tokens_of(const at::Tensor& sessions, std::int64_t length) {
    const auto token = length == 0 ? 1 : sessions.size(1) / length;
    return sessions.view({sessions.size(0), length, token});
}

}  // namespace

NetInput NetInput::zeros(
    std::int64_t rows, const simulate::EnvironmentFacts& world, std::size_t session_size
) {
    const auto n = signed_size(world.n_candidates);
    return {
        .users = at::zeros({rows, signed_size(world.user_size)}),
        .items = at::zeros({rows, n, signed_size(world.item_size)}),
        .item_ids = at::zeros({rows, n}, at::kInt),
        .sessions = at::zeros({rows, signed_size(session_size)}),
    };
}

NetInput NetInput::rows(const at::Tensor& index) const {
    return {
        .users = users.index_select(0, index),
        .items = items.index_select(0, index),
        .item_ids = item_ids.index_select(0, index),
        .sessions = sessions.index_select(0, index),
    };
}

NetInput NetInput::slice(std::int64_t first, std::int64_t n) const {
    return {
        .users = users.narrow(0, first, n),
        .items = items.narrow(0, first, n),
        .item_ids = item_ids.narrow(0, first, n),
        .sessions = sessions.narrow(0, first, n),
    };
}

void NetInput::put(std::int64_t row, const NetInput& from) {
    const auto n = from.users.size(0);
    users.narrow(0, row, n).copy_(from.users);
    items.narrow(0, row, n).copy_(from.items);
    item_ids.narrow(0, row, n).copy_(from.item_ids);
    sessions.narrow(0, row, n).copy_(from.sessions);
}

void NetInput::put(std::int64_t row, const ObservationBatch& from, std::size_t user) {
    const auto copy = [row](auto* begin, auto values) {
        std::ranges::copy(values, begin + row * signed_size(values.size()));
    };
    copy(users.mutable_data_ptr<float>(), from.users.row(user));
    const auto n = static_cast<std::size_t>(items.size(1));
    const auto offered = from.items.rows_slice(user * n, n);
    copy(items.mutable_data_ptr<float>(), std::span{offered.data(), n * offered.cols()});
    copy(item_ids.mutable_data_ptr<std::int32_t>(), from.item_ids.row(user));
    copy(sessions.mutable_data_ptr<float>(), from.sessions.row(user));
}

NetInput borrow(const ObservationBatch& seen, std::size_t n_candidates) {
    const auto wrap = [](const auto& matrix, at::IntArrayRef shape, at::ScalarType type) {
        // from_blob takes mutable memory but nothing here writes to it.
        const void* data = matrix.data();
        return matrix.empty()
                   ? at::zeros(shape, type)
                   : at::from_blob(const_cast<void*>(data), shape, type);  // NOLINT(*-const-cast)
    };
    const auto b = signed_size(seen.size());
    const auto n = signed_size(n_candidates);
    return {
        .users = wrap(seen.users, {b, signed_size(seen.users.cols())}, at::kFloat),
        .items = wrap(seen.items, {b, n, signed_size(seen.items.cols())}, at::kFloat),
        .item_ids = wrap(seen.item_ids, {b, n}, at::kInt),  // worlds number fewer than 2^31
        .sessions = wrap(seen.sessions, {b, signed_size(seen.sessions.cols())}, at::kFloat),
    };
}

std::int64_t product_count(const simulate::EnvironmentFacts& world) {
    return world.item_size > 0 ? signed_size(world.user_size / world.item_size) : 0;
}

at::Tensor item_products(const NetInput& in, std::int64_t n_products) {
    const auto width = in.items.size(2);
    const auto blocks =
        in.users.narrow(1, 0, n_products * width).reshape({in.users.size(0), n_products, width});
    return at::matmul(in.items, blocks.transpose(1, 2));
}

at::Tensor answers_of(const at::Tensor& sessions, std::int64_t length) {
    const auto tokens = tokens_of(sessions, length);
    return tokens.narrow(2, 0, tokens.size(2) - 1);
}

at::Tensor session_item_ids(const at::Tensor& sessions, std::int64_t length) {
    const auto tokens = tokens_of(sessions, length);
    return tokens.select(2, tokens.size(2) - 1).to(at::kInt);
}

}  // namespace hg::policy
