// SPDX-License-Identifier: Apache-2.0
#include "data/synthetic.hpp"

#include "core/dot.hpp"
#include "core/rng.hpp"
#include "data/raw_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace hg::data {
namespace {

constexpr TimeMs start_time = 1'704'067'200'000;  // 2024-01-01
constexpr double span_ms = 90.0 * 24 * 3600 * 1000;

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

void normalise(std::span<float> v) {
    const double length = std::sqrt(precise_dot(v, v));
    for (auto& x : v) {
        x = static_cast<float>(x / std::max(length, 1e-12));
    }
}

void add_noise(std::span<float> v, double size, Rng& rng) {
    const double scale = size / std::sqrt(static_cast<double>(v.size()));
    for (auto& x : v) {
        x = static_cast<float>(x + scale * rng.normal());
    }
}

Matrix<float> unit_rows(std::size_t rows, std::size_t dim, Rng rng) {
    Matrix<float> out{rows, dim};
    for (std::size_t r = 0; r < rows; ++r) {
        add_noise(out.row(r), 1, rng);
        normalise(out.row(r));
    }
    return out;
}

/// Draws an index with probability proportional to its weight.
class Wheel {
  public:
    explicit Wheel(std::span<const double> weights) {
        double sum = 0;
        for (const double w : weights) {
            sums_.push_back(sum += w);
        }
    }

    std::size_t draw(Rng& rng) const {
        const auto at = std::ranges::upper_bound(sums_, rng.uniform() * sums_.back());
        return std::min(static_cast<std::size_t>(at - sums_.begin()), sums_.size() - 1);
    }

  private:
    std::vector<double> sums_;
};

Field category_field(
    std::string name, const std::vector<std::uint32_t>& codes, std::string_view prefix
) {
    Field field;
    field.name = std::move(name);
    field.kind = FieldKind::category;
    field.present.assign(codes.size(), 1);
    const auto n_words = codes.empty() ? 0 : std::ranges::max(codes) + 1;
    for (std::uint32_t w = 0; w < n_words; ++w) {
        field.vocabulary.push_back(fmt::format("{}{}", prefix, w));
    }
    field.codes = codes;
    for (std::size_t i = 0; i <= codes.size(); ++i) {
        field.code_offsets.push_back(static_cast<std::int64_t>(i));
    }
    return field;
}

Field title_field(const std::vector<std::uint32_t>& genres) {
    Field field;
    field.name = "title";
    field.present.assign(genres.size(), 1);
    for (std::size_t i = 0; i < genres.size(); ++i) {
        field.texts.push_back(fmt::format("Item {} of genre {}", i, genres[i]));
    }
    return field;
}

/// Row s: the probability that a user of segment s is shown each item.
Matrix<float> exposure_of(
    const SyntheticOptions& o,
    const Matrix<float>& items,
    const Matrix<float>& segment_centres,
    Rng rng
) {
    const auto n = items.rows();
    std::vector<double> appeal(n);
    for (auto& b : appeal) {
        b = rng.normal();
    }
    Matrix<float> out{segment_centres.rows(), n};
    for (std::size_t s = 0; s < out.rows(); ++s) {
        std::vector<double> weights(n);
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) {
            weights[i] = std::exp(
                o.popularity * appeal[i] +
                o.affinity * precise_dot(segment_centres.row(s), items.row(i))
            );
            sum += weights[i];
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double p =
                (1 - o.exploration) * weights[i] / sum + o.exploration / static_cast<double>(n);
            out(s, i) = static_cast<float>(p);
        }
    }
    return out;
}

std::vector<Interaction> play(Synthetic& made, Rng rng) {
    const auto& o = made.options;
    std::vector<double> activity(made.user_vectors.rows());
    for (auto& a : activity) {
        a = std::exp(rng.normal());
    }
    const Wheel users{activity};
    std::vector<Wheel> shown;
    for (std::size_t s = 0; s < made.exposure.rows(); ++s) {
        const auto row = made.exposure.row(s);
        shown.emplace_back(std::vector<double>{row.begin(), row.end()});
    }
    std::vector<Interaction> events;
    const auto wanted = static_cast<std::size_t>(o.events);
    events.reserve(wanted);
    double time = 0;
    while (events.size() < wanted) {
        const auto user = users.draw(rng);
        const auto segment = made.segments[user];
        const auto item = shown[segment].draw(rng);
        auto u = made.final_user_vectors.row(user);
        const bool is_click =
            rng.uniform() <
            sigmoid(o.signal * precise_dot(u, made.item_vectors.row(item)) + o.offset);
        add_noise(u, o.drift, rng);
        normalise(u);
        if (!is_click && !o.skips) {
            continue;
        }
        time += -std::log(1 - rng.uniform()) * span_ms / static_cast<double>(wanted);
        events.push_back({
            .user = UserId{static_cast<std::uint32_t>(user)},
            .item = ItemId{static_cast<std::uint32_t>(item)},
            .type = EventTypeId{is_click ? 0U : 1U},
            .weight = is_click ? 1.0F : 0.0F,
            .value = std::numeric_limits<float>::quiet_NaN(),
            .time = start_time + static_cast<TimeMs>(time),
            .propensity = made.exposure(segment, item),
        });
    }
    return events;
}

void make_items(Synthetic& made, const Matrix<float>& genres, Rng rng) {
    constexpr double noise = 0.6;
    std::vector<std::uint32_t> of_items;
    made.item_vectors = Matrix<float>{static_cast<std::size_t>(made.options.items), genres.cols()};
    for (std::size_t i = 0; i < made.item_vectors.rows(); ++i) {
        const auto genre = rng.below(genres.rows());
        of_items.push_back(static_cast<std::uint32_t>(genre));
        std::ranges::copy(genres.row(genre), made.item_vectors.row(i).begin());
        add_noise(made.item_vectors.row(i), noise, rng);
        normalise(made.item_vectors.row(i));
        made.data.items.intern(fmt::format("i{}", i));
    }
    auto title = title_field(of_items);
    made.data.item_fields =
        Catalogue{of_items.size(), {std::move(title), category_field("genre", of_items, "genre")}};
}

/// Returns the segments' centres.
Matrix<float> make_users(Synthetic& made, const Matrix<float>& genres, Rng rng) {
    constexpr double noise = 0.8;
    Matrix<float> centres{static_cast<std::size_t>(made.options.segments), genres.cols()};
    for (std::size_t s = 0; s < centres.rows(); ++s) {
        const auto a = genres.row(rng.below(genres.rows()));
        const auto b = genres.row(rng.below(genres.rows()));
        std::ranges::transform(a, b, centres.row(s).begin(), [](float x, float y) {
            return x + 0.5F * y;
        });
        normalise(centres.row(s));
    }
    made.user_vectors = Matrix<float>{static_cast<std::size_t>(made.options.users), genres.cols()};
    for (std::size_t u = 0; u < made.user_vectors.rows(); ++u) {
        const auto segment = rng.below(centres.rows());
        made.segments.push_back(static_cast<std::uint32_t>(segment));
        std::ranges::copy(centres.row(segment), made.user_vectors.row(u).begin());
        add_noise(made.user_vectors.row(u), noise, rng);
        normalise(made.user_vectors.row(u));
        made.data.users.intern(fmt::format("u{}", u));
    }
    made.final_user_vectors = made.user_vectors;
    made.data.user_fields =
        Catalogue{made.segments.size(), {category_field("segment", made.segments, "segment")}};
    return centres;
}

}  // namespace

void SyntheticOptions::describe(OptionBinder& bind, SyntheticOptions& o) {
    bind("users", o.users, "how many users", {.min = 1, .max = 1e8});
    bind("items", o.items, "how many items", {.min = 1, .max = 1e7});
    bind("events", o.events, "how many events are logged", {.min = 1, .max = 1e9});
    bind("seed", o.seed, "same seed, same log", {.min = 0});
    bind("dim", o.dim, "length of the latent vectors", {.min = 1, .max = 512});
    bind("genres", o.genres, "clusters of items", {.min = 1, .max = 1000});
    bind("segments", o.segments, "clusters of users", {.min = 1, .max = 1000});
    bind("popularity", o.popularity, "how unevenly items are shown", {.min = 0, .max = 10});
    bind(
        "affinity", o.affinity, "how much exposure follows a segment's taste", {.min = 0, .max = 20}
    );
    bind("exploration", o.exploration, "share of uniformly random exposure", {.min = 0, .max = 1});
    bind("signal", o.signal, "how much taste decides clicks", {.min = 0, .max = 50});
    bind("offset", o.offset, "log-odds of a click without taste", {.min = -5, .max = 20});
    bind("drift", o.drift, "size of a taste's step per event", {.min = 0, .max = 10});
    bind("skips", o.skips, "log what was shown and not clicked too");
}

Result<SyntheticOptions> parse_synthetic_options(std::string_view text) {
    try {
        Settings settings;
        while (!text.empty()) {
            const auto comma = std::min(text.find(','), text.size());
            settings.set_assignment(text.substr(0, comma));
            text.remove_prefix(std::min(comma + 1, text.size()));
        }
        return settings.read<SyntheticOptions>();
    } catch (const Error& error) {
        return std::unexpected(error);
    }
}

double Synthetic::click_probability(UserId user, ItemId item) const {
    const double taste =
        precise_dot(final_user_vectors.row(user.index()), item_vectors.row(item.index()));
    return sigmoid(options.signal * taste + options.offset);
}

Synthetic make_synthetic(const SyntheticOptions& options) {
    const Rng rng{static_cast<std::uint64_t>(options.seed)};
    Synthetic made;
    made.options = options;
    const auto genres = unit_rows(
        static_cast<std::size_t>(options.genres),
        static_cast<std::size_t>(options.dim),
        rng.split("genres")
    );
    make_items(made, genres, rng.split("items"));
    const auto centres = make_users(made, genres, rng.split("users"));
    made.exposure = exposure_of(options, made.item_vectors, centres, rng.split("exposure"));
    auto& data = made.data;
    data.name = "synthetic";
    data.event_types.push_back({.name = "click", .weight = 1});
    if (options.skips) {
        data.event_types.push_back({.name = "skip", .weight = 0});
    }
    data.time_kind = TimeKind::real;
    data.repeats_count = true;
    data.log = InteractionLog::from_events(
        play(made, rng.split("events")), data.users.size(), data.items.size()
    );
    data.hash = content_hash(data);
    return made;
}

}  // namespace hg::data
