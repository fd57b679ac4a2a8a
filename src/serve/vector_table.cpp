// SPDX-License-Identifier: Apache-2.0
#include "serve/vector_table.hpp"

#include "core/dot.hpp"
#include "core/running_top_k.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace hg::serve {
namespace {

constexpr std::size_t lanes = 16;    // a row of codes is a multiple of it
constexpr std::size_t block = 1024;  // rows scored before the heap sees them: 4 KB of scores
constexpr float largest_code = 127;
// Of the user's side. Products of 127 * 4095 over 4,096 columns still fit 32 bits, and its rounding
// is 32 times finer than the items'.
constexpr float largest_user_code = 4095;
constexpr std::size_t most_columns = 4096;

/// sum a[i] * b[i] over `n`, a multiple of `lanes`.
std::int32_t dot_of_codes(const std::int8_t* a, const std::int16_t* b, std::size_t n) {
#if defined(__AVX2__)
    __m256i sum = _mm256_setzero_si256();
    for (std::size_t i = 0; i < n; i += lanes) {
        const auto narrow = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i));
        const auto other = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(narrow), other));
    }
    auto four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
    return _mm_cvtsi128_si32(four);
#else
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        sum += std::int32_t{a[i]} * std::int32_t{b[i]};
    }
    return sum;
#endif
}

/// out[i] = row i . user. One copy of the code for every score, never cloned for one row: compiled
/// twice, it may be rounded in two ways.
[[gnu::noipa]] void score_rows(
    const float* first, std::size_t stride, std::span<const float> user, std::span<float> out
) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = dot({first + i * stride, user.size()}, user);
    }
}

float largest_of(std::span<const float> values) {
    float largest = 0;
    for (const auto value : values) {
        largest = std::max(largest, std::abs(value));
    }
    return largest;
}

/// The rows of a block that may still be among the best, in `rows`.
template <typename Score>
void collect(
    std::size_t first, std::size_t n, float threshold, Score score, std::vector<Scored>& rows
) {
    rows.clear();
    for (std::size_t i = 0; i < n; ++i) {
        const float value = score(i);
        if (value >= threshold && value > masked_score) {
            rows.push_back({static_cast<std::uint32_t>(first + i), value});
        }
    }
}

}  // namespace

/// A user as codes, and how far a score made of codes can be from that of the floats.
struct VectorTable::Query {
    std::vector<std::int16_t> codes;
    float scale = 0;
    float doubt = 0;  // |score - scale * s * codes . row| <= s * doubt for a row of scale s
};

VectorTable::VectorTable(MatrixView<const float> vectors, ItemPrecision precision)
    : vectors_(vectors), precision_(precision) {
    if (precision == ItemPrecision::float32) {
        return;
    }
    HG_CHECK(vectors.cols() <= most_columns, "sums of codes would not fit 32 bits");
    width_ = (vectors.cols() + lanes - 1) / lanes * lanes;
    codes_.resize(vectors.rows() * width_);
    scales_.resize(vectors.rows());
    columns_.assign(vectors.cols(), 0);
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            columns_[i] = std::max(columns_[i], std::abs(vectors(row, i)));
        }
    }
    std::ranges::replace(columns_, 0.0F, 1.0F);
    std::vector<float> vector(vectors.cols());
    for (std::size_t row = 0; row < vectors.rows(); ++row) {
        std::ranges::transform(vectors.row(row), columns_, vector.begin(), std::divides{});
        const float scale = largest_of(vector) / largest_code;
        scales_[row] = scale;
        auto* const codes = codes_.data() + row * width_;
        for (std::size_t i = 0; scale > 0 && i < vector.size(); ++i) {
            codes[i] = static_cast<std::int8_t>(std::lround(vector[i] / scale));
        }
    }
}

std::size_t VectorTable::bytes() const noexcept {
    return precision_ == ItemPrecision::int8 ? codes_.size() + scales_.size() * sizeof(float)
                                             : vectors_.rows() * vectors_.stride() * sizeof(float);
}

/// With the items' columns divided by their largest and the user's multiplied by it,
/// score = sum (s q + s e)(t p + t f), |e| and |f| <= 1/2: what is left beside s t q . p is at most
/// s t (|p|_1 / 2 + |q|_1 / 2 + d / 4), and |q|_1 <= 127 d. Rounding of the float product is far
/// below the hundredth that is added.
VectorTable::Query VectorTable::query_of(std::span<const float> vector) const {
    Query query;
    std::vector<float> user(vector.size());
    std::ranges::transform(vector, columns_, user.begin(), std::multiplies{});
    query.codes.assign(width_, 0);
    query.scale = largest_of(user) / largest_user_code;
    double sum = 0;
    for (std::size_t i = 0; query.scale > 0 && i < user.size(); ++i) {
        query.codes[i] = static_cast<std::int16_t>(std::lround(user[i] / query.scale));
        sum += std::abs(static_cast<double>(query.codes[i]));
    }
    constexpr double slack = 1.01;
    const auto d = static_cast<double>(user.size());
    const double bound = sum / 2 + d * (static_cast<double>(largest_code) / 2 + 0.25);
    query.doubt = static_cast<float>(slack * bound * static_cast<double>(query.scale));
    return query;
}

float VectorTable::score(std::span<const float> user, std::size_t row) const {
    float score = 0;
    score_rows(vectors_.row(row).data(), vectors_.stride(), user, {&score, 1});
    return score;
}

std::vector<Scored> VectorTable::best(
    std::span<const float> user, std::size_t k, const RowFilter& filter
) const {
    HG_CHECK(user.size() == vectors_.cols(), "user and items must be vectors of one space");
    return precision_ == ItemPrecision::int8 ? best_of_codes(user, k, filter)
                                             : best_of_floats(user, k, filter);
}

std::vector<Scored> VectorTable::best_of_floats(
    std::span<const float> user, std::size_t k, const RowFilter& filter
) const {
    RunningTopK best{k};
    std::array<float, block> scores{};
    std::vector<Scored> rows;
    for (std::size_t first = 0; first < vectors_.rows(); first += block) {
        const auto n = std::min(block, vectors_.rows() - first);
        const auto* const rows_of_block = vectors_.data() + first * vectors_.stride();
        score_rows(rows_of_block, vectors_.stride(), user, std::span{scores}.first(n));
        if (!filter) {
            best.add(static_cast<std::uint32_t>(first), std::span{scores}.first(n));
            continue;
        }
        collect(first, n, best.threshold(), [&](auto i) { return scores[i]; }, rows);
        filter(rows);
        for (const auto& row : rows) {
            best.add(row);
        }
    }
    return std::move(best).take();
}

std::vector<Scored> VectorTable::best_of_codes(
    std::span<const float> user, std::size_t k, const RowFilter& filter
) const {
    const auto query = query_of(user);
    RunningTopK sure{k};           // by the lower bound: its threshold is one of the scores'
    std::vector<Scored> possible;  // by the upper bound
    std::vector<Scored> rows;
    for (std::size_t first = 0; first < vectors_.rows(); first += block) {
        const auto n = std::min(block, vectors_.rows() - first);
        const auto upper_bound = [&](std::size_t i) {
            const auto row = first + i;
            const auto product =
                dot_of_codes(codes_.data() + row * width_, query.codes.data(), width_);
            return scales_[row] * (query.scale * static_cast<float>(product) + query.doubt);
        };
        collect(first, n, sure.threshold(), upper_bound, rows);
        if (filter && !rows.empty()) {
            filter(rows);
        }
        for (const auto& row : rows) {
            possible.push_back(row);
            sure.add({row.index, row.score - 2 * query.doubt * scales_[row.index]});
        }
    }
    RunningTopK best{k};
    const auto threshold = sure.threshold();
    for (const auto& row : possible) {
        if (row.score >= threshold) {
            best.add({row.index, score(user, row.index)});
        }
    }
    return std::move(best).take();
}

}  // namespace hg::serve
