// SPDX-License-Identifier: Apache-2.0
// UserModel: u = f(attributes, behaviour): who is this, from what they did. One of the four models.
//
// Sequence models (sasrec) implement it: the state after the last event. Const-safe after fitting.
#pragma once

#include "core/matrix.hpp"
#include "data/history.hpp"

#include <cstddef>
#include <span>

namespace hg::train {

class UserModel {
  public:
    UserModel() = default;
    UserModel(const UserModel&) = delete;
    UserModel& operator=(const UserModel&) = delete;
    UserModel(UserModel&&) = delete;
    UserModel& operator=(UserModel&&) = delete;
    virtual ~UserModel() = default;

    /// out: [histories.size(), dim()].
    virtual void represent(std::span<const data::History> histories, MatrixView<float> out)
        const = 0;
    [[nodiscard]] virtual std::size_t dim() const = 0;
};

}  // namespace hg::train
