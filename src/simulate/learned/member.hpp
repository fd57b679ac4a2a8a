// SPDX-License-Identifier: Apache-2.0
// Member: one fitted model of a user, ready to be stepped: what a slate is answered with, whether
// the user leaves, how the user's numbers move.
//
// Two families. "feature": the user is the numbers of this moment. "sequence": also a GRU's state
// over what was consumed before (Cho et al., 2014). In both a user and an item become vectors by
// one small network each, and
//
//   logit(click) = a(u) . b(x) / sqrt(rank) + c(u) + d(x) + bias(position)
//
// so that items' vectors are computed once. P(purchase | click), where the data tell purchases, and
// the value of a click have vectors of the same form. `u` includes the session's counters. `leave`
// reads the user, what was clicked and whether it was bought, but not how long or how much: a last
// visit is cut short by leaving, not the other way round. `change` gives mean and spread of the
// change of the user's numbers. Fitting is done by torch (member_net.hpp); stepping is plain loops,
// row by row: the same numbers for one user as for thousands, and no dispatch per operation.
// Const-safe.
//
//   const Member member = load_member(file, "member0", shape);
#pragma once

#include "core/matrix.hpp"
#include "core/safetensors.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hg::simulate {

enum class Family : std::uint8_t { feature, sequence };

/// Sizes that all members of a world share.
struct MemberShape {
    std::size_t user_size = 0;
    std::size_t item_size = 0;
    std::size_t slate_size = 1;
    std::size_t rank = 24;    // of the click interaction
    std::size_t hidden = 64;  // of every small network
    std::size_t gru = 32;     // state of the sequence family
    bool has_dynamics = false;
    bool has_purchases = false;
    static constexpr std::size_t value_rank = 8;
    static constexpr std::size_t purchase_rank = 8;
    static constexpr std::size_t n_counts = 4;  // log steps, steps, clicks, values of the session

    /// clicked features, clicked features x value, shown features, clicks, values, 1, purchases
    [[nodiscard]] std::size_t token_size() const noexcept {
        return 3 * item_size + 3 + (has_purchases ? 1 : 0);
    }

    /// counts and the sum of the clicked features of the session
    [[nodiscard]] std::size_t counter_size() const noexcept { return n_counts + item_size; }

    /// user x clicked features, number by number, as far as both go
    [[nodiscard]] std::size_t product_size() const noexcept {
        return user_size < item_size ? user_size : item_size;
    }

    /// numbers, counters before the decision, and the GRU's state
    [[nodiscard]] std::size_t user_input(Family family) const noexcept {
        return user_size + counter_size() + (family == Family::sequence ? gru : 0);
    }

    [[nodiscard]] std::size_t leave_input(Family family) const noexcept {
        return user_input(family) + token_size();
    }

    [[nodiscard]] std::size_t change_input() const noexcept {
        return user_size + token_size() + product_size();
    }

    /// [click vector, click bias, value vector, value bias, purchase vector, purchase bias]
    [[nodiscard]] std::size_t tower_size() const noexcept {
        return purchase_start() + (has_purchases ? purchase_rank + 1 : 0);
    }

    [[nodiscard]] std::size_t value_start() const noexcept { return rank + 1; }

    [[nodiscard]] std::size_t purchase_start() const noexcept {
        return value_start() + value_rank + 1;
    }

    /// mean and log standard deviation by number
    [[nodiscard]] std::size_t change_size() const noexcept { return 2 * user_size; }
};

/// y = x W + b; W is [in, out] so that the inner loop runs over contiguous outputs.
struct DenseLayer {
    Matrix<float> weight;
    std::vector<float> bias;

    void apply(std::span<const float> x, std::span<float> y) const;
};

/// y = skip(x) + out(relu(hidden(x)))
struct SmallNet {
    DenseLayer skip;
    DenseLayer hidden;
    DenseLayer out;

    /// `work`: as long as the hidden layer, and `y` long after that.
    void apply(std::span<const float> x, std::span<float> y, std::vector<float>& work) const;
};

struct GruLayer {
    DenseLayer input;  // [in, 3 state]: reset, update, new
    DenseLayer state;

    void step(std::span<const float> x, std::span<float> h, std::vector<float>& work) const;
};

struct Member {
    Family family = Family::feature;
    SmallNet user;
    SmallNet item;
    DenseLayer leave;                      // hazard.hpp
    SmallNet change;                       // has_dynamics only
    GruLayer gru;                          // sequence family only
    std::vector<float> position;           // [slate_size]
    std::vector<float> residuals_staying;  // of values, sorted, in scaled units
    std::vector<float> residuals_leaving;
};

/// NAME.weight and NAME.bias as torch writes them, [out, in]. Throws Error{corrupt} for other sizes.
[[nodiscard]] DenseLayer load_dense(
    const SafetensorsFile& file, const std::string& name, std::size_t in, std::size_t out
);

/// Tensors PREFIX.user.hidden.weight ... as torch names them. Throws Error{corrupt} for other
/// shapes.
[[nodiscard]] Member load_member(
    const SafetensorsFile& file, const std::string& prefix, const MemberShape& shape
);

/// The vectors of all items, [n, tower_size].
[[nodiscard]] Matrix<float> item_vectors(
    const Member& member, const MemberShape& shape, MatrixView<const float> scaled_items
);

/// Logit of a click of item vector `b` by user vector `a` at a position.
[[nodiscard]] float click_logit(
    const Member& member,
    const MemberShape& shape,
    std::span<const float> a,
    std::span<const float> b,
    std::size_t position
);

/// Logit of a purchase once it is clicked; only where has_purchases.
[[nodiscard]] float purchase_logit(
    const MemberShape& shape, std::span<const float> a, std::span<const float> b
);

/// Mean value of a click, scaled.
[[nodiscard]] float scaled_value(
    const MemberShape& shape, std::span<const float> a, std::span<const float> b
);

}  // namespace hg::simulate
