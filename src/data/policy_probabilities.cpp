// SPDX-License-Identifier: Apache-2.0
#include "data/policy_probabilities.hpp"

#include "data/cell.hpp"
#include "data/json_fields.hpp"
#include "data/text_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>

namespace hg::data {
namespace {

namespace dom = simdjson::dom;

constexpr JsonFields read{R"(for example {"recommendation_id": "r1", "probabilities": {"50": 0.4}})"
};

std::unexpected<Error> bad(std::string message, std::string hint = {}) {
    return fail(ErrorCode::invalid_argument, std::move(message), std::move(hint));
}

Result<double> parse_probability(const dom::element& value, const std::string& where) {
    HG_TRY(const auto number, read.number(value, where));
    if (!(number >= 0 && number <= 1)) {
        return bad(fmt::format("{} is {}, expected a probability in [0, 1]", where, number));
    }
    return number;
}

/// Reads lines one by one into the columns.
class Aligner {
  public:
    explicit Aligner(const ImpressionLog& log) : log_(&log), is_filled_(log.size()) {
        result_.slate.resize(log.size(), 1);
        result_.slot.resize(log.slots.values.size());
    }

    Result<void> add(std::string_view line) {
        HG_TRY(const auto object, read.object(json_, line));
        HG_TRY(const auto row, find_row(object));
        if (is_filled_[row]) {
            return bad(
                fmt::format("decision \"{}\" has a second line", log_->recommendation_id[row])
            );
        }
        is_filled_[row] = true;
        ++n_filled_;
        dom::element probabilities;
        if (object["probabilities"].get(probabilities) != simdjson::SUCCESS) {
            return bad("probabilities is missing", "give the policy's probability of every item");
        }
        if (auto filled = fill(row, probabilities); !filled) {
            return filled;
        }
        return fill_extras(row, object);
    }

    Result<PolicyProbabilities> finish(std::string_view name) {
        for (std::size_t row = 0; row < is_filled_.size(); ++row) {
            if (!is_filled_[row]) {
                return bad(
                    fmt::format(
                        "{} has no line for decision \"{}\" ({} of {} have one)",
                        name,
                        log_->recommendation_id[row],
                        n_filled_,
                        log_->size()
                    ),
                    "write one line per decision of the log"
                );
            }
        }
        for (const auto* extra : {&result_.q_factual, &result_.q_policy, &result_.supported_mass}) {
            for (const double number : *extra) {
                if (std::isnan(number)) {
                    return bad(
                        fmt::format(
                            "{} has q_factual, q_policy or supported_mass in some lines", name
                        ),
                        "give the key in every line or in none"
                    );
                }
            }
        }
        return std::move(result_);
    }

  private:
    Result<std::size_t> find_row(const dom::object& object) {
        dom::element id;
        const bool has_id = object["recommendation_id"].get(id) == simdjson::SUCCESS;
        if (by_id_.value_or(has_id) != has_id) {
            return bad("recommendation_id is in some lines only", "give it in all lines or none");
        }
        by_id_ = has_id;
        if (!has_id) {
            if (n_filled_ >= log_->size()) {
                return bad(fmt::format("the log has only {} decisions", log_->size()));
            }
            return n_filled_;
        }
        HG_TRY(const auto name, read.id(id, "recommendation_id"));
        if (rows_.empty()) {
            for (std::size_t row = 0; row < log_->size(); ++row) {
                rows_.emplace(log_->recommendation_id[row], row);
            }
        }
        const auto found = rows_.find(name);
        if (found == rows_.end()) {
            return bad(
                fmt::format("decision \"{}\" is not in the log", name),
                "judge a policy on the log its probabilities were made for"
            );
        }
        return found->second;
    }

    Result<void> fill(std::size_t row, const dom::element& probabilities) {
        dom::array list;
        const bool is_list = probabilities.get_array().get(list) == simdjson::SUCCESS;
        dom::object by_item;
        if (!is_list && probabilities.get_object().get(by_item) != simdjson::SUCCESS) {
            return read.wrong(
                "probabilities", probabilities, "an object by item or a list by slot"
            );
        }
        const auto items = log_->slots.row(row);
        if (!is_list) {
            if (auto fine = check_sum(by_item, items.size()); !fine) {
                return fine;
            }
        }
        if (is_list && list.size() != items.size()) {
            return bad(
                fmt::format("probabilities has {} numbers for {} slots", list.size(), items.size())
            );
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto& item = log_->items.name(items[i]);
            const auto found = is_list ? list.at(i) : by_item[item];
            dom::element value;
            if (found.get(value) != simdjson::SUCCESS) {
                return bad(
                    fmt::format("probabilities has no item \"{}\", which was shown", item),
                    "write 0 for an item the policy would not show"
                );
            }
            HG_TRY(
                const double p, parse_probability(value, fmt::format("probability of \"{}\"", item))
            );
            result_.slot[log_->slots.offsets[row] + i] = p;
            result_.slate[row] *= p;
        }
        return {};
    }

    /// A slot is filled once: what is said of all items cannot be more than one a slot.
    Result<void> check_sum(const dom::object& by_item, std::size_t n_slots) {
        double sum = 0;
        for (const auto [item, value] : by_item) {
            HG_TRY(
                const double p, parse_probability(value, fmt::format("probability of \"{}\"", item))
            );
            sum += p;
        }
        constexpr double rounding = 1e-6;
        if (sum > static_cast<double>(n_slots) + rounding) {
            return bad(
                fmt::format(
                    "probabilities sum to {:.6g}, at most {} for {} slot{} is possible",
                    sum,
                    n_slots,
                    n_slots,
                    n_slots == 1 ? "" : "s"
                ),
                "give each item its probability of being shown in its slot"
            );
        }
        return {};
    }

    Result<void> fill_extras(std::size_t row, const dom::object& object) {
        struct Extra {
            std::string_view key;
            std::vector<double>* column;
        };

        for (const auto& [key, column] :
             {Extra{"q_factual", &result_.q_factual},
              Extra{"q_policy", &result_.q_policy},
              Extra{"supported_mass", &result_.supported_mass}}) {
            dom::element value;
            if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) {
                continue;
            }
            column->resize(log_->size(), no_number);
            const bool is_mass = key == "supported_mass";
            HG_TRY(
                (*column)[row],
                is_mass ? parse_probability(value, std::string{key}) : read.number(value, key)
            );
        }
        return {};
    }

    const ImpressionLog* log_;
    dom::parser json_;
    std::optional<bool> by_id_;
    std::unordered_map<std::string_view, std::size_t> rows_;
    std::vector<bool> is_filled_;
    std::size_t n_filled_ = 0;
    PolicyProbabilities result_;
};

}  // namespace

Result<PolicyProbabilities> parse_policy_probabilities(
    std::string_view text, std::string_view name, const ImpressionLog& log
) {
    Aligner aligner{log};
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (trim(line).empty()) {
            continue;
        }
        if (const auto added = aligner.add(line); !added) {
            const auto& error = added.error();
            return fail(
                error.code(), fmt::format("{}:{}: {}", name, number, error.message()), error.hint()
            );
        }
    }
    return aligner.finish(name);
}

Result<PolicyProbabilities> read_policy_probabilities(
    const std::filesystem::path& path, const ImpressionLog& log
) {
    HG_TRY(const auto file, TextFile::open(path));
    return parse_policy_probabilities(file.text(), path.filename().string(), log);
}

}  // namespace hg::data
